package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

// transactionVariable tells a command in a transaction where that is.
const transactionVariable = "OVSCFGFS_TXN"

func txnCommand() *cli.Command {
	return &cli.Command{
		Name:      "txn",
		Usage:     "run a command in a private copy of the tree, and commit what it changed as one change",
		ArgsUsage: "-- COMMAND [ARGUMENT...]",
		Description: "The command runs in the copy: in its root, or where you are in the mount. " + transactionVariable + " is the path of the root.\n" +
			"When it exits with 0 all that it changed becomes one transaction of etcd; else, and after Ctrl-C, it is dropped. Its exit code is\n" +
			"passed on. 75 is a conflict: others changed the same meanwhile, nothing was committed. Run it again, or look at the copy, which stays.",
		Flags: []cli.Flag{
			stringFlag("mountpoint", "", "the mount; without it the one that you are in, or the only one"),
			boolFlag("reload", "ask each service whose configuration was changed to read it, in the same transaction"),
			boolFlag("drop", "keep no copy after a conflict, for scripts that try again"),
		},
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return failf(exitUsage, "usage: ovscfgfs txn [flags] -- COMMAND [ARGUMENT...]")
			}
			if outer := os.Getenv(transactionVariable); outer != "" {
				return failf(exitUsage, "this runs in the transaction %s already (%s), and none begins within another: run the command as it is", outer, transactionVariable)
			}
			mountpoint, inside, err := transactionMount(c.String("mountpoint"))
			if err != nil {
				return err
			}
			t, err := beginTransaction(mountpoint)
			if err != nil {
				return err
			}
			return t.carryOut(c, inside)
		},
	}
}

// transactionMount finds the mount that is meant, and where the caller is in it.
func transactionMount(flag string) (mountpoint, inside string, err error) {
	here, at := onMount(".")
	inside = strings.TrimPrefix(strings.TrimPrefix(at, here), "/")
	if here == "" || inside == ".ovscfgfs" || strings.HasPrefix(inside, ".ovscfgfs/") {
		inside = ""
	}
	switch {
	case flag != "":
		if mountpoint, err = ourMount(flag); err != nil {
			return "", "", err
		}
		if mountpoint != here {
			inside = ""
		}
		return mountpoint, inside, nil
	case here != "":
		return here, inside, nil
	}
	list, err := mounts()
	if err != nil {
		return "", "", err
	}
	var found []string
	for _, m := range list {
		if m.fsType == fuseType {
			found = append(found, m.path)
		}
	}
	switch len(found) {
	case 0:
		return "", "", failf(exitMountpoint, "no ovscfgfs is mounted here: mount one first (ovscfgfs mount)")
	case 1:
		return found[0], "", nil
	}
	return "", "", failf(exitUsage, "there are the mounts %s: say which one is meant with --mountpoint", strings.Join(found, " and "))
}

// transaction is one that this process has begun.
type transaction struct {
	mountpoint, name string
	mounted          time.Time
}

func (t *transaction) dir() string { return filepath.Join(t.mountpoint, ".ovscfgfs", "txn", t.name) }

func beginTransaction(mountpoint string) (*transaction, error) {
	for n := 0; ; n++ {
		t := &transaction{mountpoint: mountpoint, name: fmt.Sprintf("command-%d-%d", os.Getpid(), n)}
		err := os.Mkdir(t.dir(), 0o755)
		switch {
		case err == nil:
			t.mounted = mountTime(mountpoint)
			return t, nil
		case errors.Is(err, os.ErrExist) && n < 1000:
		case errors.Is(err, syscall.EROFS), errors.Is(err, os.ErrNotExist):
			return nil, failf(exitMountpoint, "the mount %s has no transactions: it is read-only, or of an older version", mountpoint)
		default:
			return nil, failf(exitMountpoint, "no transaction can be begun on %s: %s", mountpoint, t.words(err))
		}
	}
}

// carryOut runs the command and ends the transaction as it ends.
func (t *transaction) carryOut(c *cli.Context, inside string) error {
	code, interrupted, err := t.run(c.Args().Slice(), inside)
	if err != nil || code != 0 || interrupted {
		if dropErr := t.drop(); dropErr != nil && err == nil {
			err = dropErr
		}
		if err == nil {
			err = &failure{code: code}
		}
		return err
	}
	suffix := ".commit"
	if c.Bool("reload") {
		suffix = ".reload"
	}
	err = os.Rename(t.dir(), t.dir()+suffix)
	if err == nil {
		return nil
	}
	words := t.words(err)
	switch {
	case errors.Is(err, syscall.EBUSY):
		conflicts := t.conflicts()
		for _, line := range conflicts {
			_, _ = fmt.Fprintln(c.App.ErrWriter, "ovscfgfs: conflict: "+oneLine(line))
		}
		if c.Bool("drop") {
			if err := t.drop(); err != nil {
				return err
			}
			if len(conflicts) > 0 { // words tell what to do with the copy, which is gone
				words = "others changed the same meanwhile, and the copy was dropped: run it again"
			}
			return failf(exitConflict, "nothing was committed: %s", words)
		}
		return failf(exitConflict, "nothing was committed, and %s stays until you drop it (rmdir): %s", t.dir(), words)
	case errors.Is(err, os.ErrNotExist) && mountTime(t.mountpoint).Equal(t.mounted):
		return failf(exitFailure, "the command has itself ended the transaction %s, or given it another name: look in %s", t.dir(), filepath.Dir(t.dir()))
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENOTCONN), errors.Is(err, syscall.ECONNABORTED):
		return failf(exitMountpoint, "the mount %s ended: look whether the change was made", t.mountpoint)
	case errors.Is(err, syscall.ETIMEDOUT):
		return failf(exitEtcd, "%s (%s stays: rename it to %s%s when etcd is back, which changes nothing twice)", words, t.dir(), t.name, suffix)
	}
	code = exitFailure
	if errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOSPC) {
		code = exitEtcd
	}
	return failf(code, "nothing was committed, and %s stays until you drop it (rmdir): %s", t.dir(), words)
}

// mountTime is when the mount that is there began, which tells it from the next one.
func mountTime(mountpoint string) time.Time {
	info, err := os.Stat(filepath.Join(mountpoint, ".ovscfgfs"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (t *transaction) drop() error {
	if err := syscall.Rmdir(t.dir()); err != nil && !errors.Is(err, syscall.ENOENT) {
		return failf(exitFailure, "the transaction %s cannot be dropped: %w", t.dir(), err)
	}
	return nil
}

// mountProblem is what is read of a line of .ovscfgfs/errors.
type mountProblem struct {
	Op, Path, Error, Transaction string
}

// problems returns the lines of the mount's errors.
func (t *transaction) problems() []mountProblem {
	file, err := os.Open(filepath.Join(t.mountpoint, ".ovscfgfs", "errors"))
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	var list []mountProblem
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p mountProblem
		if json.Unmarshal(lines.Bytes(), &p) == nil {
			list = append(list, p)
		}
	}
	return list
}

// words are what the mount says of the transaction's last failure, else err's.
func (t *transaction) words(err error) string {
	words := err.Error()
	for _, p := range t.problems() {
		if p.Path == ".ovscfgfs/txn/"+t.name {
			words = p.Error
		}
	}
	return words
}

func (t *transaction) conflicts() []string {
	var list []string
	for _, p := range t.problems() {
		if p.Op == "conflict" && p.Transaction == t.name {
			list = append(list, p.Path+" "+p.Error)
		}
	}
	return list
}
