package main

import (
	"path/filepath"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// address reads an argument that names an entry: a path in a mount on this
// machine, also a relative one, or a key as mapping.ParseAddress takes it.
func address(argument, prefix string) (mapping.Address, error) {
	mountpoint := ""
	if absolute, err := filepath.Abs(argument); err == nil && argument != "" {
		if mountpoint = mountHolding(absolute); mountpoint != "" && !filepath.IsAbs(argument) {
			argument = absolute
		}
	}
	return mapping.ParseAddress(argument, prefix, mountpoint)
}

// mountHolding is the mountpoint of this program that an absolute path is on,
// empty if there is none.
func mountHolding(path string) string {
	list, err := mounts()
	if err != nil {
		return ""
	}
	found := ""
	for _, m := range list {
		if m.fsType == fuseType && len(m.path) > len(found) && (path == m.path || strings.HasPrefix(path, m.path+"/")) {
			found = m.path
		}
	}
	return found
}
