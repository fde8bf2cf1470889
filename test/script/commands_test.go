package script

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

// commands are what the scripts have beside testscript's own.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"etcd":      etcdCommand,
		"mount":     mountCommand,
		"umount":    umountCommand,
		"killed":    killCommand,
		"await":     awaitCommand,
		"commits":   commitsCommand,
		"daemonlog": logCommand,
		"refused":   refusedCommand,
	}
}

func of(ts *testscript.TestScript) *session { return ts.Value(sessionKey{}).(*session) }

// etcd start [FLAG...] | tls | kill | restart: the script's server; tls starts
// one with certificates, which are in the script's directory. Its address is
// in ETCD, and what ovscfgfs and etcdctl use unless told otherwise.
func etcdCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: etcd start|tls|kill|restart")
	}
	switch args[0] {
	case "start", "tls":
		var err error
		if args[0] == "tls" {
			ts.Check(harness.WriteCertificates(ts.MkAbs(".")))
			s.etcd, err = harness.StartTLSEtcd(s.programs, ts.MkAbs("etcd.data"), ts.MkAbs("."))
		} else {
			s.etcd, err = harness.StartEtcd(s.programs, ts.MkAbs("etcd.data"), args[1:]...)
		}
		ts.Check(err)
		ts.Setenv("ETCD", s.etcd.Endpoint)
		ts.Setenv("OVSCFGFS_ENDPOINTS", s.etcd.Endpoint)
		ts.Setenv("ETCDCTL_ENDPOINTS", s.etcd.Endpoint)
	case "kill":
		s.etcd.Kill()
	case "restart":
		ts.Check(s.etcd.Start())
	default:
		ts.Fatalf("etcd %s: unknown", args[0])
	}
}

// mount [FLAG...] DIR: ovscfgfs mount in the foreground, which `umount DIR` or
// the script's end ends. DIR is made. With ! it must fail, and stderr matches
// its words and [exit CODE].
func mountCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if len(args) == 0 {
		ts.Fatalf("usage: mount [FLAG...] DIR")
	}
	at := ts.MkAbs(args[len(args)-1])
	if !neg {
		// What a killed daemon left answers ENOTCONN to stat, and is there.
		if err := os.MkdirAll(at, 0o755); !errors.Is(err, os.ErrExist) {
			ts.Check(err)
		}
	}
	daemon, err := harness.Mount(program(ts, append([]string{"ovscfgfs", "mount"}, args...)))
	if err == nil {
		s.mounts[at] = daemon
	}
	var failed *harness.MountError
	switch {
	case err == nil && neg:
		ts.Fatalf("it mounted")
	case err == nil:
	case errors.As(err, &failed) && neg:
		_, _ = ts.Stderr().Write([]byte("ovscfgfs: " + failed.Words + "\n[exit " + strconv.Itoa(failed.Code) + "]\n"))
	default:
		ts.Fatalf("%v", err)
	}
}

// umount DIR: SIGTERM for the daemon of a `mount`, which must end cleanly.
func umountCommand(ts *testscript.TestScript, neg bool, args []string) {
	daemon, at := mounted(ts, neg, args)
	delete(of(ts).mounts, at)
	ts.Check(daemon.Stop())
}

// killed DIR: kills the daemon of a `mount`, which leaves a stale mount.
func killCommand(ts *testscript.TestScript, neg bool, args []string) {
	daemon, at := mounted(ts, neg, args)
	delete(of(ts).mounts, at)
	daemon.Kill()
}

// daemonlog DIR TEXT: the log of a mount has the text. What a daemon has written
// takes a moment to get here.
func logCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: daemonlog DIR TEXT")
	}
	daemon, _ := mounted(ts, neg, args[:1])
	if !harness.Await(func() bool { return strings.Contains(daemon.Log(), args[1]) }) {
		ts.Fatalf("there is no %q in the log:\n%s", args[1], daemon.Log())
	}
}

func mounted(ts *testscript.TestScript, neg bool, args []string) (*harness.Daemon, string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: COMMAND DIR")
	}
	at := ts.MkAbs(args[0])
	daemon := of(ts).mounts[at]
	if daemon == nil {
		ts.Fatalf("%s is no mount of this script", at)
	}
	return daemon, at
}

// await PROGRAM [ARG...]: runs a program until it succeeds, or with ! until it fails.
func awaitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: await PROGRAM [ARG...]")
	}
	var output []byte
	if !harness.Await(func() bool {
		var err error
		output, err = program(ts, args).CombinedOutput()
		return (err == nil) != neg
	}) {
		ts.Fatalf("it did not come about; the last output:\n%s", output)
	}
}

// commits N PROGRAM [ARG...]: the program succeeds, and etcd counts N
// transactions meanwhile.
func commitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: commits N PROGRAM [ARG...]")
	}
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	before, err := of(ts).etcd.Revision()
	ts.Check(err)
	ts.Check(ts.Exec(args[1], args[2:]...))
	after, err := of(ts).etcd.Revision()
	ts.Check(err)
	if after-before != want {
		ts.Fatalf("%d transactions, want %d", after-before, want)
	}
}

// program makes a command that runs in the script's directory and environment.
func program(ts *testscript.TestScript, args []string) *exec.Cmd {
	path := args[0]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		candidate := filepath.Join(dir, args[0])
		if info, err := os.Stat(candidate); err == nil && !info.IsDir() && !strings.Contains(args[0], "/") {
			path = candidate
			break
		}
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	// The script's own environment cannot be listed: what matters of it.
	cmd.Env = os.Environ()
	for _, name := range []string{"PATH", "HOME", "WORK", "TMPDIR", "SAMPLE", "ETCD", "ETCDCTL_ENDPOINTS", "GORACE",
		"OVSCFGFS_ENDPOINTS", "OVSCFGFS_STATE_DIR", "OVSCFGFS_PREFIX", "OVSCFGFS_PASSWORD", "OVSCFGFS_USER",
		"OVSCFGFS_DIAL_TIMEOUT", "OVSCFGFS_COMMAND_TIMEOUT", "OVSCFGFS_OFFLINE_AFTER"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

// refused MESSAGE WORDS TEXT FILE: writing a line to the file fails with the
// message of its errno, .ovscfgfs/errors tells the words, and etcd gets nothing.
func refusedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: refused MESSAGE WORDS TEXT FILE")
	}
	before, err := of(ts).etcd.Revision()
	ts.Check(err)
	mount, _, _ := strings.Cut(args[3], "/")
	err = ts.Exec("bash", "-c", `set -o pipefail; echo "$0" | tee "$1" > /dev/null`, args[2], args[3])
	if err == nil {
		ts.Fatalf("%s took %q", args[3], args[2])
	}
	if stderr := ts.ReadFile("stderr"); !strings.Contains(stderr, args[0]) {
		ts.Fatalf("tee says %q, want %q", stderr, args[0])
	}
	ts.Check(ts.Exec("tail", "-n", "1", mount+"/.ovscfgfs/errors"))
	if told := ts.ReadFile("stdout"); !strings.Contains(told, args[1]) {
		ts.Fatalf("the words are %q, want %q", told, args[1])
	}
	after, err := of(ts).etcd.Revision()
	ts.Check(err)
	if after != before {
		ts.Fatalf("it was refused, and etcd has %d revisions more", after-before)
	}
}
