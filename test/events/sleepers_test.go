package events

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// sleepers describes the threads that nothing can wake, not even SIGKILL (state
// D), of processes that have a mount of p on their command line and of this one.
func sleepers(p *node) (list []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*/stat")
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		k := bytes.LastIndexByte(stat, ')')
		if k < 0 || k+2 >= len(stat) || stat[k+2] != 'D' {
			continue
		}
		process := filepath.Join("/proc", strings.Split(file, "/")[2])
		command, _ := os.ReadFile(filepath.Join(process, "cmdline"))
		if strings.Contains(string(command), filepath.Dir(p.Dirs[0])) || process == fmt.Sprintf("/proc/%d", os.Getpid()) {
			list = append(list, string(stat[:k+1])+" "+string(bytes.ReplaceAll(command, []byte{0}, []byte(" "))))
		}
	}
	return list
}

// hanging is sleepers that stay: a thread that waits for an answer of a mount is
// one for a moment.
func hanging(p *node) (list []string) {
	harness.Await(func() bool { list = sleepers(p); return len(list) == 0 })
	return list
}
