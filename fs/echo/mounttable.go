package echo

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Mounted reports whether a device is in the mount table of this process.
func Mounted(device uint64) (bool, error) {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, err
	}
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for line := range bytes.Lines(table) {
		if f := bytes.Fields(line); len(f) > 2 && string(f[2]) == number {
			return true, nil
		}
	}
	return false, nil
}

// Device returns the device number of what is mounted topmost on mountpoint, 0
// if nothing is. It asks the mount table and not the mount.
func Device(mountpoint string) (uint64, error) {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return 0, err
	}
	var device uint64
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) < 5 || unescape(f[4]) != mountpoint {
			continue
		}
		major, minor, _ := strings.Cut(f[2], ":")
		a, err1 := strconv.ParseUint(major, 10, 32)
		b, err2 := strconv.ParseUint(minor, 10, 32)
		if err1 == nil && err2 == nil {
			device = unix.Mkdev(uint32(a), uint32(b))
		}
	}
	return device, nil
}

// unescape undoes the octal escapes of the mount table.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for k := 0; k < len(s); k++ {
		if s[k] == '\\' && k+3 < len(s) {
			if n, err := strconv.ParseUint(s[k+1:k+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				k += 3
				continue
			}
		}
		b.WriteByte(s[k])
	}
	return b.String()
}
