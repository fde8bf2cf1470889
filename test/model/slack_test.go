package model

import (
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// setTimerSlack lets sleeps of this process, and of those that it starts from
// now on, end later by so much (prctl(2), PR_SET_TIMERSLACK). Most of all these
// are naps of 20 µs of the monitor in Go's scheduler: half of all switches between threads.
func setTimerSlack(slack time.Duration) error {
	threads, err := filepath.Glob("/proc/self/task/[0-9]*")
	for _, thread := range threads {
		// Of another thread it is only in the directory that is not listed.
		file := filepath.Join("/proc", filepath.Base(thread), "timerslack_ns")
		if werr := os.WriteFile(file, []byte(strconv.FormatInt(slack.Nanoseconds(), 10)), 0); werr != nil && !os.IsNotExist(werr) {
			err = werr
		}
	}
	return err
}
