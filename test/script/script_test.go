// Package script holds the end-to-end tests: each file in testdata is a
// session that a user could type, with the real programs and a real etcd, and
// what is seen there.
package script

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

func TestScripts(t *testing.T) {
	programs, err := harness.Build()
	if err != nil {
		t.Fatal(err)
	}
	sample, err := filepath.Abs("../../contrib/sample-tree.json")
	if err != nil {
		t.Fatal(err)
	}
	helper, err := filepath.Abs("../../contrib/mount.fuse.ovscfgfs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			s := &session{programs: programs, work: env.WorkDir, mounts: map[string]*harness.Daemon{}}
			env.Values[sessionKey{}] = s
			env.Setenv("PATH", programs.Dir+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir+"/home")
			env.Setenv("SAMPLE", sample)
			env.Setenv("HELPER", helper)
			// A busy machine is slow, not broken; sessions about what is broken set their own.
			env.Setenv("OVSCFGFS_DIAL_TIMEOUT", "60s")
			env.Setenv("OVSCFGFS_COMMAND_TIMEOUT", "60s")
			env.Setenv("OVSCFGFS_OFFLINE_AFTER", "60s")
			env.Setenv("OVSCFGFS_STATE_DIR", env.WorkDir+"/state")
			// Where a daemon of --daemon, whose exit code nobody sees, reports a race.
			env.Setenv("GORACE", "log_path="+env.WorkDir+"/race")
			env.Defer(func() {
				if err := s.end(); err != nil {
					env.T().Log(err)
					env.T().FailNow()
				}
			})
			return nil
		},
		Cmds: commands(),
	})
}

type sessionKey struct{}

// session is what one script has started.
type session struct {
	programs harness.Programs
	work     string
	etcd     *harness.Etcd
	mounts   map[string]*harness.Daemon // by mountpoint
}

func (s *session) end() error {
	var failed error
	for at, daemon := range s.mounts {
		if err := daemon.Stop(); err != nil {
			failed = fmt.Errorf("%s: %w", at, err)
		}
	}
	if s.etcd != nil {
		_ = s.etcd.Stop()
	}
	if left := harness.Leftovers(s.work); len(left) > 0 && failed == nil {
		failed = fmt.Errorf("left behind: %q", left)
	}
	races, _ := filepath.Glob(s.work + "/race.*")
	for _, file := range races {
		report, _ := os.ReadFile(file)
		failed = fmt.Errorf("the race detector found a race:\n%s", report)
	}
	return failed
}
