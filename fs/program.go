package fs

import (
	"bytes"
	"os"
	"strconv"
)

// replacers are programs that put a new content in the place of a file by
// unlinking it and creating it again at once (seen with strace). What they
// unlink keeps its type and place for the file that follows; see held.
var replacers = map[string]bool{
	"cp":      true, // --remove-destination, -f
	"git":     true, // apply, checkout, stash
	"install": true,
	"mv":      true, // from another file system
	"patch":   true,
	"tar":     true,
	"bsdtar":  true,
	"unzip":   true,
	"cpio":    true,
}

// program returns the name of the program that a request came from, "" if it
// cannot be learned (pid 0 when the caller is in another pid namespace).
func program(pid uint32) string {
	if pid == 0 {
		return ""
	}
	comm, err := os.ReadFile("/proc/" + strconv.FormatUint(uint64(pid), 10) + "/comm")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSuffix(comm, []byte("\n")))
}

// otherProcess reports whether the thread pid belongs to another process than
// the thread opener, which is still there.
func otherProcess(pid, opener uint32) bool {
	if pid == opener {
		return false
	}
	proc := func(n uint32) string { return "/proc/" + strconv.FormatUint(uint64(n), 10) }
	if _, err := os.Stat(proc(pid) + "/task/" + strconv.FormatUint(uint64(opener), 10)); err == nil {
		return false // another thread of the same process
	}
	_, err := os.Stat(proc(opener))
	return err == nil
}
