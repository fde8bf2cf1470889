package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/cache/connect"
	"github.com/openvstorage/ovscfgfs/mapping"
)

func mountFlags() []cli.Flag {
	return append(etcdFlags(),
		stringFlag("mountpoint", "/ovs", "the directory to mount on, when there is no argument"),
		&cli.StringSliceFlag{Name: "o", Usage: "mount options: ro, allow_other, default_permissions, nonempty, noexec, uid=, gid=, umask=, fsname=, and any flag's name"},
		boolFlag("read-only", "refuse every change; reading is faster"),
		stringFlag("uid", "", "the owner that files are shown with (default: who runs this)"),
		stringFlag("gid", "", "the group that files are shown with (default: that of who runs this)"),
		stringFlag("file-mode", "0644", "the mode of files, octal; secrets are 0600 whatever this says"),
		stringFlag("dir-mode", "0755", "the mode of directories, octal"),
		durationFlag("offline-after", 2*time.Second, "refuse to write when etcd has not answered for this long"),
		boolFlag("exact", "show values without the newline that is added to them otherwise"),
		&cli.StringSliceFlag{Name: "raw", Usage: "show the values of keys that match `PATTERN` as they are, JSON or not", EnvVars: env("raw")},
		&cli.StringSliceFlag{Name: "scratch", Usage: "keep files whose names match `PATTERN` on this machine", EnvVars: env("scratch")},
		stringFlag("state-dir", "", "keep scratch files in `DIR` (default: /var/lib/ovscfgfs, or $XDG_STATE_HOME/ovscfgfs for users)"),
		stringFlag("scratch-limit", "64MiB", "all scratch files of the mount together stay below this"),
		boolFlag("local-locks", "have flock(2) and fcntl(2) locks hold on this machine only"),
		durationFlag("lock-ttl", 10*time.Second, "others get the locks of a mount that is gone after this"),
		boolFlag("list-views", "list the views (D.json, D.yaml, L.lines) in directories"),
		stringFlag("embedded", "", "run an etcd server inside, with its data in `DIR`"),
		stringFlag("embedded-listen", "127.0.0.1:2379", "where the embedded etcd listens, for etcdctl and other mounts"),
		stringFlag("import", "", "first put the keys of `FILE` into etcd, if the prefix is empty"),
		validateFlag(),
		stringFlag("references", referencesText, "show values that are URLs of keys in this prefix as text, or as a symlink that ln -s makes too"),
		boolFlag("daemon", "return when mounted, and go on in the background"),
		stringFlag("log-file", "", "append the log to `FILE` instead of writing it to standard error"),
		stringFlag("log-level", "info", "debug, info, warn or error"),
		stringFlag("log-format", "text", "text or json"),
		stringFlag("events", "auto", "inotify events for changes made elsewhere: auto (where this user may) or off"),
		stringFlag("pprof", "", "serve Go's profiles over HTTP at `ADDRESS`; never one that others reach"),
		&cli.StringFlag{Name: "source", Hidden: true}, // fstab's first field, from mount.fuse.ovscfgfs
	)
}

// mountConfig is what the flags of mount say, checked.
type mountConfig struct {
	connect      connect.Options
	passwordFile string
	settings     mapping.Settings
	mountpoint   string
	options      mountOptions
	readOnly     bool
	uid, gid     uint32
	fileMode     uint32
	dirMode      uint32
	scratch      []string
	scratchLimit int64
	stateDir     string
	listViews    bool
	localLocks   bool
	lockTTL      time.Duration
	offlineAfter time.Duration
	embedded     string
	listen       string
	importFile   string
	events       string
	validate     string
	references   string
}

func newMountConfig(c *cli.Context) (mountConfig, error) {
	var m mountConfig
	var err error
	if m.options, err = parseMountOptions(c.StringSlice("o"), func(name string) bool { return optionFlag(c, name) }); err != nil {
		return m, err
	}
	for _, flag := range m.options.flags {
		if err := c.Set(flag[0], flag[1]); err != nil {
			return m, failf(exitUsage, "-o %s=%s: %w", flag[0], flag[1], err)
		}
	}
	if err := applySource(c); err != nil {
		return m, err
	}
	if m.connect, err = connectOptions(c); err != nil {
		return m, err
	}
	if m.passwordFile = c.String("password-file"); m.passwordFile != "" {
		if m.passwordFile, err = filepath.Abs(m.passwordFile); err != nil {
			return m, failf(exitInput, "--password-file: %w", err)
		}
	}
	if m.settings.Prefix, err = prefixFlag(c); err != nil {
		return m, err
	}
	m.settings.Raw, m.settings.Exact = c.StringSlice("raw"), c.Bool("exact")
	m.scratch = c.StringSlice("scratch")
	for flag, patterns := range map[string][]string{"raw": m.settings.Raw, "scratch": m.scratch} {
		for _, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
				return m, failf(exitUsage, "--%s %q is no pattern: write one as for the shell, such as *.conf", flag, pattern)
			}
		}
	}
	m.mountpoint = c.String("mountpoint")
	if m.events = c.String("events"); m.events != "auto" && m.events != "off" {
		return m, failf(exitUsage, "--events %q: give auto or off", m.events)
	}
	if c.NArg() == 1 {
		m.mountpoint = c.Args().First()
	}
	m.readOnly = c.Bool("read-only") || m.options.readOnly
	m.listViews = c.Bool("list-views")
	m.localLocks, m.lockTTL = c.Bool("local-locks"), c.Duration("lock-ttl")
	if m.lockTTL < 2*time.Second || m.lockTTL%time.Second != 0 {
		return m, failf(exitUsage, "--lock-ttl %v: give whole seconds, two or more, such as 10s", m.lockTTL)
	}
	m.embedded, m.listen, m.importFile = c.String("embedded"), c.String("embedded-listen"), c.String("import")
	if m.offlineAfter = c.Duration("offline-after"); m.offlineAfter <= 0 {
		return m, failf(exitUsage, "--offline-after %v must be more than nothing, such as 2s", m.offlineAfter)
	}
	if m.embedded != "" && c.IsSet("endpoints") {
		return m, failf(exitUsage, "--embedded runs its own etcd, --endpoints names another: give one of them")
	}
	m.validate = c.String("validate")
	if err := validateMode(m.validate); err != nil {
		return m, err
	}
	if m.references = c.String("references"); m.references != referencesText && m.references != referencesSymlink {
		return m, failf(exitUsage, "--references %q is none of text and symlink", m.references)
	}
	if m.scratchLimit, err = parseSize(c.String("scratch-limit")); err != nil {
		return m, failf(exitUsage, "--scratch-limit %q is no size: write one such as 64MiB", c.String("scratch-limit"))
	}
	if m.stateDir, err = stateDir(c.String("state-dir")); err != nil {
		return m, err
	}
	return m, m.ownership(c)
}

// ownership settles who owns the files and who may do what with them.
func (m *mountConfig) ownership(c *cli.Context) error {
	m.uid, m.gid = uint32(os.Getuid()), uint32(os.Getgid())
	for name, id := range map[string]*uint32{"uid": &m.uid, "gid": &m.gid} {
		if text := c.String(name); text != "" {
			n, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				return failf(exitUsage, "--%s %q is no number", name, text)
			}
			*id = uint32(n)
		}
	}
	if m.options.uid != nil {
		m.uid = *m.options.uid
	}
	if m.options.gid != nil {
		m.gid = *m.options.gid
	}
	m.fileMode, m.dirMode = 0o666, 0o777
	for name, mode := range map[string]*uint32{"file-mode": &m.fileMode, "dir-mode": &m.dirMode} {
		if m.options.umask != nil && !c.IsSet(name) {
			*mode &^= *m.options.umask
			continue
		}
		n, err := strconv.ParseUint(c.String(name), 8, 32)
		if err != nil || n&^uint64(fs.ModePerm) != 0 {
			return failf(exitUsage, "--%s %q is no mode: write one in octal, such as 0640", name, c.String(name))
		}
		*mode = uint32(n)
	}
	return nil
}

// optionFlag reports whether -o may set the flag.
func optionFlag(c *cli.Context, name string) bool {
	if name == "o" || name == "source" || name == "password" || name == "help" {
		return false
	}
	for _, flag := range c.Command.Flags {
		for _, known := range flag.Names() {
			if known == name {
				return true
			}
		}
	}
	return false
}

// applySource reads fstab's first field: "ovscfgfs" or "none" say nothing,
// etcd://HOST:PORT[,HOST:PORT...][/PREFIX] names the cluster and the prefix.
func applySource(c *cli.Context) error {
	rest, found := strings.CutPrefix(c.String("source"), "etcd://")
	if !found {
		return nil
	}
	endpoints, prefix, hasPrefix := strings.Cut(rest, "/")
	if err := c.Set("endpoints", endpoints); err != nil {
		return err
	}
	if hasPrefix && prefix != "" {
		return c.Set("prefix", "/"+prefix)
	}
	return nil
}

// stateDir is where scratch files live. It is made with the first one.
func stateDir(flag string) (string, error) {
	switch {
	case flag != "":
		return filepath.Abs(flag)
	case os.Geteuid() == 0:
		return "/var/lib/ovscfgfs", nil
	case os.Getenv("XDG_STATE_HOME") != "":
		return filepath.Join(os.Getenv("XDG_STATE_HOME"), "ovscfgfs"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", failf(exitUsage, "no place for scratch files: give --state-dir DIR (%w)", err)
	}
	return filepath.Join(home, ".local", "state", "ovscfgfs"), nil
}

// parseSize reads a number of bytes with an optional unit of powers of 1024.
func parseSize(text string) (int64, error) {
	units := map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
	digits := strings.TrimRight(text, "KMGiB")
	unit, known := units[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || n < 0 || n > (1<<62)/unit {
		return 0, strconv.ErrSyntax
	}
	return n * unit, nil
}
