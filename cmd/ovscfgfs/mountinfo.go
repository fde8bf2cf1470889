package main

import (
	"bufio"
	"io"
	"os"
	"strings"
)

// fuseType is the file system type that the kernel shows for a mount of this program.
const fuseType = "fuse.ovscfgfs"

// mounted is one line of /proc/self/mountinfo (proc(5)).
type mounted struct {
	path, fsType, source string
}

// mounts returns what is mounted, in the order in which it was.
func mounts() ([]mounted, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, failf(exitFailure, "the mounts of this system cannot be listed: %w", err)
	}
	defer func() { _ = file.Close() }()
	return parseMountinfo(file)
}

func parseMountinfo(r io.Reader) ([]mounted, error) {
	var list []mounted
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		// ID PARENT MAJOR:MINOR ROOT PATH OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS
		before, after, found := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !found || len(left) < 6 || len(right) < 2 {
			continue
		}
		list = append(list, mounted{path: unescape(left[4]), fsType: right[0], source: unescape(right[1])})
	}
	return list, lines.Err()
}

// unescape undoes the octal escapes of white space and backslashes.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#").Replace(text)
}

// mountAt returns the topmost mount on path.
func mountAt(path string) (mounted, bool, error) {
	list, err := mounts()
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].path == path {
			return list[i], true, err
		}
	}
	return mounted{}, false, err
}
