package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// holders names the processes that keep a mount in use: by their working or
// root directory, an open file, or a mapped one (proc(5)). It looks at names
// only and never touches the mount.
func holders(mountpoint string) string {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	var names []string
	for _, process := range processes {
		if holds(process, mountpoint) {
			name, _ := os.ReadFile(process + "/comm")
			names = append(names, fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), filepath.Base(process)))
		}
	}
	switch {
	case len(names) == 0:
		return "a process that this user cannot see, or a mount on top of it"
	case len(names) > 5:
		return fmt.Sprintf("%s and %d others", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}

func holds(process, mountpoint string) bool {
	links, _ := filepath.Glob(process + "/fd/*")
	for _, link := range append(links, process+"/cwd", process+"/root", process+"/exe") {
		target, err := os.Readlink(link)
		if err == nil && (target == mountpoint || strings.HasPrefix(target, mountpoint+"/")) {
			return true
		}
	}
	maps, err := os.ReadFile(process + "/maps")
	return err == nil && strings.Contains(string(maps), " "+mountpoint+"/")
}
