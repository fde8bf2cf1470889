package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Leftovers returns what tests under dir left behind: mounts below it and
// processes with it on their command line, and removes both. A process that is
// just ending, as the helper of a daemon that was killed does, is waited for.
func Leftovers(dir string) []string {
	var left []string
	for _, path := range mountsBelow(dir) {
		left = append(left, "mount "+path)
		_ = syscall.Unmount(path, syscall.MNT_DETACH)
	}
	Await(func() bool { return len(processesOf(dir)) == 0 })
	for pid, command := range processesOf(dir) {
		left = append(left, fmt.Sprintf("process %d: %s", pid, command))
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return left
}

// processesOf returns the command lines, by process id, that name something below dir.
func processesOf(dir string) map[int]string {
	found := make(map[int]string)
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(data, []byte(dir+"/")) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(file, "/proc/%d/", &pid); err == nil && pid != os.Getpid() {
			found[pid] = string(bytes.ReplaceAll(data, []byte{0}, []byte(" ")))
		}
	}
	return found
}

// mountsBelow lists mountpoints below dir, the topmost first.
func mountsBelow(dir string) []string {
	data, _ := os.ReadFile("/proc/self/mountinfo")
	var paths []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			paths = append([]string{fields[4]}, paths...)
		}
	}
	return paths
}
