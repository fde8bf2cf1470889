package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// mountOptions is what -o says, in the words of mount(8) and of FUSE.
type mountOptions struct {
	readOnly, allowOther, nonempty bool
	uid, gid                       *uint32
	umask                          *uint32
	fsName                         string
	// kernel is what the mount itself gets, such as noexec and default_permissions.
	kernel []string
	// flags are options that name a flag of this command, for fstab: endpoints, prefix, cacert ...
	flags [][2]string
}

// parseMountOptions reads the values of all -o. An option may be the name of a
// flag (isFlag), so that fstab can hold everything; a comma within a value is
// written \, there.
func parseMountOptions(values []string, isFlag func(name string) bool) (mountOptions, error) {
	var o mountOptions
	for _, option := range splitOptions(strings.Join(values, ",")) {
		name, value, hasValue := strings.Cut(option, "=")
		var err error
		switch name {
		case "", "defaults", "rw", "auto", "noauto", "user", "nouser", "users", "nofail", "_netdev", "exec", "async",
			"atime", "noatime", "relatime", "norelatime", "nodiratime", "lazytime", "nolazytime", "silent", "loud":
			// Of no meaning here, or mount(8)'s own business.
		case "nodev", "nosuid", "noexec", "default_permissions":
			o.kernel = append(o.kernel, name)
		case "dev", "suid":
			// FUSE mounts have neither, and the tree holds no such files.
		case "ro":
			o.readOnly = true
		case "allow_other":
			o.allowOther = true
		case "nonempty":
			o.nonempty = true
		case "uid":
			o.uid, err = number(option, value, 10)
		case "gid":
			o.gid, err = number(option, value, 10)
		case "umask":
			o.umask, err = number(option, value, 8)
		case "fsname":
			if value == "" {
				err = failf(exitUsage, "-o fsname needs a value: fsname=NAME")
			}
			o.fsName = value
		default:
			switch {
			case strings.HasPrefix(name, "x-"), strings.HasPrefix(name, "comment"):
				// Notes for mount(8) and systemd.
			case isFlag(name):
				if !hasValue {
					value = "true"
				}
				o.flags = append(o.flags, [2]string{name, value})
			default:
				err = failf(exitUsage, "-o %s is no option of this file system (see ovscfgfs help mount)", name)
			}
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// splitOptions splits at commas that no backslash precedes.
func splitOptions(text string) []string {
	const comma = "\x00"
	options := strings.Split(strings.ReplaceAll(text, `\,`, comma), ",")
	for i := range options {
		options[i] = strings.TrimSpace(strings.ReplaceAll(options[i], comma, ","))
	}
	return options
}

func number(option, value string, base int) (*uint32, error) {
	n, err := strconv.ParseUint(value, base, 32)
	if err != nil {
		return nil, failf(exitUsage, "-o %s: %q is no number of base %d", option, value, base)
	}
	n32 := uint32(n)
	return &n32, nil
}

// userAllowOther reports whether the system lets users mount for others (fuse(8)).
func userAllowOther(conf string) bool {
	file, err := os.Open(conf)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.TrimSpace(lines.Text()) == "user_allow_other" {
			return true
		}
	}
	return false
}
