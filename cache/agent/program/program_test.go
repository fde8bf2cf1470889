package program_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openvstorage/ovscfgfs/cache/agent/program"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func script(t *testing.T, text string) *program.Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "handler")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return &program.Program{Path: path}
}

func TestRun(t *testing.T) {
	t.Setenv("OVSCFGFS_PASSWORD", "secret")
	output, err := script(t, `cat; echo "$OVSCFGFS_ACTION$OVSCFGFS_PASSWORD"`).Run(t.Context(), []string{"OVSCFGFS_ACTION=create"}, []byte("in "), nil)
	if err != nil || string(output) != "in create\n" {
		t.Errorf("%q, %v", output, err)
	}
	_, err = script(t, "echo one >&2; echo two >&2; exit 65").Run(t.Context(), nil, nil, nil)
	var exit *program.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 65 || !strings.HasSuffix(err.Error(), ": two") {
		t.Errorf("%v", err)
	}
	if _, err = script(t, "kill -9 $$").Run(t.Context(), nil, nil, nil); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("%v", err)
	}
	if _, err = (&program.Program{Path: "/nowhere/handler"}).Run(t.Context(), nil, nil, nil); err == nil {
		t.Error("it ran")
	}
	// One that does not read what it is given, nor stops talking.
	output, err = script(t, "head -c 5000000 /dev/zero; head -c 100000 /dev/zero >&2").Run(t.Context(), nil, make([]byte, 1<<20), nil)
	if err != nil || len(output) < 2<<20 || len(output) > 3<<20 {
		t.Errorf("%d bytes, %v", len(output), err)
	}
}

// Nothing of a program outlives its run, whatever it ignores and leaves behind.
func TestNothingIsLeft(t *testing.T) {
	ignored := map[string]string{"hangs": "HUP", "ignores SIGTERM": "TERM", "leaves a process": "HUP"}
	for what, text := range map[string]string{
		"hangs":            "sleep 1000",
		"ignores SIGTERM":  "while :; do sleep 1000; done",
		"leaves a process": "sleep 1000 & exit 0",
	} {
		t.Run(what, func(t *testing.T) {
			p := script(t, `trap '' `+ignored[what]+`; echo $$ > "$0.pid"; echo > "$0.begun"; `+text)
			ctx, cancel := context.WithCancelCause(t.Context())
			why := errors.New("enough")
			go func() {
				for {
					if _, err := os.Stat(p.Path + ".begun"); err == nil {
						cancel(why)
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			_, err := p.Run(ctx, nil, nil, nil)
			if what != "leaves a process" && !errors.Is(err, why) {
				t.Errorf("%v", err)
			}
			data, err := os.ReadFile(p.Path + ".pid")
			if err != nil {
				t.Fatal(err)
			}
			group := 0
			for _, c := range strings.TrimSpace(string(data)) {
				group = group*10 + int(c-'0')
			}
			for deadline := time.Now().Add(30 * time.Second); ; {
				if err := syscall.Kill(-group, 0); errors.Is(err, syscall.ESRCH) {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("something is left")
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}
