package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHistoryRefusals(t *testing.T) {
	for _, test := range []struct {
		args  string
		code  int
		words string
	}{
		{"log", exitUsage, "usage: ovscfgfs log [flags] PATH"},
		{"log a b", exitUsage, "usage: ovscfgfs log [flags] PATH"},
		{"log --format xml /ovs/a", exitUsage, `--format "xml" is neither text nor json`},
		{"log -n 0 /ovs/a", exitUsage, "-n 0: give the number of revisions"},
		{"log /elsewhere/a", exitUsage, "is no etcd key under /ovs"},
		{"log /ovs/a|b..c", exitUsage, "what follows the bar is no path"},
		{"log --prefix ovs /ovs/a", exitUsage, "must start with a slash"},
		{"diff", exitUsage, "usage: ovscfgfs diff [flags] REV[..REV] [PATH]"},
		{"diff now", exitUsage, `"now" is no revision of etcd: give a number such as 42`},
		{"diff 0", exitUsage, `"0" is no revision`},
		{"diff 1..x", exitUsage, `"x" is no revision`},
		{"diff ..2", exitUsage, `"" is no revision`},
		{"diff 99999999999999999999", exitUsage, "is no revision"},
		{"diff 1 --endpoints nonsense", exitUsage, "write HOST:PORT"},
		{"diff 1 --endpoints 127.0.0.1:1 --dial-timeout 100ms", exitEtcd, "127.0.0.1:1"},
		{"restore 1", exitUsage, "usage: ovscfgfs restore [flags] REV PATH"},
		{"restore -1 /ovs/a", exitUsage, "-1"},
		{"restore one /ovs/a", exitUsage, `"one" is no revision`},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(append([]string{"ovscfgfs"}, strings.Fields(test.args)...), &stdout, &stderr)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if text := stderr.String(); !strings.Contains(text, test.words) || !strings.HasPrefix(text, "ovscfgfs: ") || strings.Count(text, "\n") != 1 {
				t.Errorf("got %q, want one line with %q", text, test.words)
			}
		})
	}
}

func TestParseRevisions(t *testing.T) {
	for text, want := range map[string][2]int64{"5": {5, 0}, "5..9": {5, 9}, "5..": {5, 0}, "9..5": {9, 5}} {
		if from, to, err := parseRevisions(text); err != nil || from != want[0] || to != want[1] {
			t.Errorf("%q is %d..%d (%v), want %v", text, from, to, err, want)
		}
	}
}

// What an argument is on is found also when it is gone by now, and through symlinks to the mount.
func TestMountOfAnArgument(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	mnt := filepath.Join(dir, "mnt")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(mnt, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	list := []mounted{{path: dir, fsType: "tmpfs"}, {path: mnt, fsType: fuseType}, {path: mnt + "/inner", fsType: fuseType}}
	for path, want := range map[string]string{
		mnt: mnt, mnt + "/gone/x": mnt, mnt + "/inner/x": mnt + "/inner", mnt + "ed/x": "", dir: "",
		filepath.Join(dir, "link/gone/x"): mnt, filepath.Join(dir, "link"): mnt, "/nonexistent/x": "",
	} {
		at := resolveExisting(path, list)
		got, ok := mountOver(at, list)
		if got != want || ok != (want != "") {
			t.Errorf("%s, which is %s, is on %q, want %q", path, at, got, want)
		}
	}
}

func TestRevisionTimesNeedNoMount(t *testing.T) {
	dir := t.TempDir()
	if got := revisionTimes(dir); len(got) != 0 {
		t.Errorf("times of no mount: %v", got)
	}
	if err := os.Mkdir(filepath.Join(dir, ".ovscfgfs"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "5 2026-11-27T03:33:23.5Z\n6 2026-11-27T03:33:24Z\n7 soon\nnonsense\n"
	if err := os.WriteFile(filepath.Join(dir, ".ovscfgfs/times"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := revisionTimes(dir)
	if len(got) != 2 || got[5].Nanosecond() != 500_000_000 || got[6].IsZero() {
		t.Errorf("times %v", got)
	}
}
