package fs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// maxHolders bounds how many programs a message names.
const maxHolders = 5

// BusyError says who keeps the mount at point from being unmounted, as far as /proc
// shows it to this user: an *mapping.Error of kind Busy.
func BusyError(point string) error {
	holders := holdersOf(point)
	who := strings.Join(holders[:min(len(holders), maxHolders)], ", ")
	if more := len(holders) - maxHolders; more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	if who == "" {
		who = "a program or a mount in it that is not visible from here"
	}
	return mapping.Errorf(mapping.Busy, point, "the mount is in use by %s; let go of it and try again", who)
}

// holdersOf returns the programs that have something open below point, or work
// or run there, as "name (pid 7: /path)". It reads links in /proc only, nothing of the mount.
func holdersOf(point string) (holders []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range processes {
		if path := heldBy(dir, point); path != "" {
			name, _ := os.ReadFile(dir + "/comm")
			holders = append(holders, fmt.Sprintf("%s (pid %s: %s)", strings.TrimSpace(string(name)), filepath.Base(dir), path))
		}
	}
	return holders
}

func heldBy(dir, point string) string {
	links := []string{dir + "/cwd", dir + "/root", dir + "/exe"}
	fds, _ := filepath.Glob(dir + "/fd/*")
	for _, link := range append(links, fds...) {
		if target, err := os.Readlink(link); err == nil && within(target, point) {
			return target
		}
	}
	maps, _ := os.ReadFile(dir + "/maps")
	for line := range strings.Lines(string(maps)) {
		if at := strings.IndexByte(line, '/'); at >= 0 && within(strings.TrimSpace(line[at:]), point) {
			return strings.TrimSpace(line[at:])
		}
	}
	return ""
}

func within(path, point string) bool {
	return path == point || strings.HasPrefix(path, point+"/")
}
