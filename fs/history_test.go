package fs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// at is the path of an entry in the tree of a revision.
func at(revision int64, name string) string {
	return fmt.Sprintf(".ovscfgfs/history/%d/%s", revision, name)
}

// pasts mounts a tree of which there are three revisions, the last one empty but for one key.
func pasts(t *testing.T, options ...func(*Options)) (m *mountedTest, first, second int64) {
	m = mountTree(t, sample(), options...)
	first = m.store.Tree().Revision()
	m.store.put(map[string]string{
		"/ovs/vpools/p/hosts/h/config": `{"port": 1, "name": "héllo", "more": {"x": []}}`,
		"/ovs/new":                     "1",
	})
	m.store.del("/ovs/plain", "/ovs/large")
	second = m.store.Tree().Revision()
	m.settle()
	return m, first, second
}

// compact forgets what is older than a revision, and returns how often At was called.
func (f *fakeStore) compact(oldest int64) (asked int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.oldest = oldest
	return f.ats
}

func TestHistoryShowsEachRevision(t *testing.T) {
	for name, option := range map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly} {
		t.Run(name, func(t *testing.T) {
			m, first, second := pasts(t, option)
			for range 2 {
				for path, want := range map[string]string{
					at(first, "vpools/p/hosts/h/config/port"):  "26203\n",
					at(second, "vpools/p/hosts/h/config/port"): "1\n",
					at(first, "plain"):                         "5\n",
					at(first, "large"):                         strings.Repeat("line\n", 40_000),
					at(first, "both/.value"):                   "hello there\n",
					at(first, "vpools/p/hosts/h/config.json"):  sample()["/ovs/vpools/p/hosts/h/config"] + "\n",
					at(second, "new"):                          "1\n",
				} {
					if got := m.read(path); got != want {
						t.Errorf("%s reads %.80q, want %.80q", path, got, want)
					}
					if fi, err := os.Stat(m.path(path)); err != nil || fi.Size() != int64(len(want)) {
						t.Errorf("stat of %s: %v, %v, want a size of %d", path, fi, err, len(want))
					}
				}
			}
			if got, want := m.list(at(first, "")), []string{"arakoon", "both", "large", "plain", "text", "vpools"}; !slices.Equal(got, want) {
				t.Errorf("the first revision lists %q, want %q", got, want)
			}
			for _, absent := range []string{at(first, "new"), at(second, "plain"), at(first, ".ovscfgfs"), at(first, "vpools/p/hosts/h/config/more")} {
				if _, err := os.Lstat(m.path(absent)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("stat of %s: %v", absent, err)
				}
			}
			// The past does not change with the present.
			m.store.put(map[string]string{"/ovs/vpools/p/hosts/h/config": `{"port": 7}`})
			m.settle()
			if got := m.read(at(first, "vpools/p/hosts/h/config/port")); got != "26203\n" {
				t.Errorf("after a change the first revision's port is %q", got)
			}
		})
	}
}

// Inode numbers of one revision are not those of another, or diff and tar would
// take two files for one.
func TestHistoryHasNumbersOfItsOwn(t *testing.T) {
	m, first, second := pasts(t)
	seen := map[uint64]string{}
	for _, path := range []string{"text", at(first, "text"), at(second, "text"), at(first, ""), at(second, ""), ""} {
		fi, err := os.Stat(m.path(path))
		if err != nil {
			t.Fatal(err)
		}
		ino := fi.Sys().(*syscall.Stat_t).Ino
		if other, taken := seen[ino]; taken {
			t.Errorf("%q and %q have the inode number %d", path, other, ino)
		}
		seen[ino] = path
	}
}

func TestToolsOnHistory(t *testing.T) {
	m, first, second := pasts(t)
	run := func(want int, name string, args ...string) string {
		t.Helper()
		cmd := inside(t.Context(), m.path(".ovscfgfs/history"), name, args...)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Fatalf("%s %v ends with %d (%v): %s", name, args, code, err, out)
		}
		return string(out)
	}
	a, b := fmt.Sprint(first), fmt.Sprint(second)
	out := run(1, "diff", "-r", a, b)
	for _, want := range []string{"-26203", "Only in " + b + ": new", "Only in " + a + ": plain"} {
		if want[0] == '-' {
			want = "< " + want[1:]
		}
		if !strings.Contains(out, want) {
			t.Errorf("diff -r does not say %q:\n%s", want, out)
		}
	}
	run(0, "diff", "-r", a, a)
	if got := run(0, "grep", "-r", "26203", a); got != a+"/vpools/p/hosts/h/config/port:26203\n" {
		t.Errorf("grep -r says %q", got)
	}
	to := filepath.Join(t.TempDir(), "copy")
	run(0, "cp", "-a", a, to)
	run(0, "diff", "-r", a, to)
	if got := run(0, "ls", "-A", "."); got != "" {
		t.Errorf("history lists %q", got)
	}
	run(1, "grep", "-r", "26203", m.dir) // no walk over the mount meets the past
}

func TestHistoryRefusesOtherNames(t *testing.T) {
	m, first, _ := pasts(t)
	m.store.compact(first)
	for _, name := range []string{"0", "-1", "01", "+1", "x", "99999999999999999999", "999", fmt.Sprint(first - 1), "%", strings.Repeat("9", 300)} {
		_, err := os.Lstat(m.path(".ovscfgfs/history/" + name))
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENAMETOOLONG) {
			t.Errorf("history/%.20s: %v", name, err)
		}
	}
	if got := m.read(".ovscfgfs/errors"); !strings.Contains(got, "there is no revision 999") {
		t.Errorf("the reason is not in errors: %s", got)
	}
}

// A tree that nobody uses is let go, and read again when someone comes back;
// what the kernel knows stays as it is.
func TestHistoryIsLetGo(t *testing.T) {
	m, first, second := pasts(t)
	h := m.s.history
	m.read(at(first, "text"))
	m.read(at(second, "text"))
	drop := func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.sweepLocked(time.Now().Add(time.Hour))
		if len(h.kept) != 0 {
			t.Errorf("%d trees are kept", len(h.kept))
		}
	}
	drop()
	if got := m.read(at(first, "vpools/p/hosts/h/config/port")); got != "26203\n" {
		t.Errorf("read again: %q", got)
	}
	if asked := m.store.compact(0); asked != 3 {
		t.Errorf("the store was asked %d times, want 3", asked)
	}
	drop()
	m.store.compact(second)
	if _, err := os.ReadFile(m.path(at(first, "both/below"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a read of a compacted revision: %v", err)
	}
	if _, err := os.ReadDir(m.path(at(first, ""))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a listing of a compacted revision: %v", err)
	}
	for n := range maxKept + 3 {
		m.store.put(map[string]string{"/ovs/n": fmt.Sprint(n)})
		m.read(at(m.store.Tree().Revision(), "n"))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.kept) != maxKept {
		t.Errorf("%d trees are kept, want %d", len(h.kept), maxKept)
	}
}

func TestHistoryCannotBeWritten(t *testing.T) {
	m, first, _ := pasts(t)
	text, dir := m.path(at(first, "text")), m.path(at(first, "vpools"))
	commits := m.store.count()
	for what, err := range map[string]error{
		"write":    os.WriteFile(text, []byte("x"), 0o644),
		"create":   os.WriteFile(dir+"/new", []byte("x"), 0o644),
		"scratch":  os.WriteFile(dir+"/.new.swp", []byte("x"), 0o644),
		"view":     os.WriteFile(dir+".json", []byte("{}"), 0o644),
		"remove":   os.Remove(text),
		"rmdir":    syscall.Rmdir(dir),
		"mkdir":    os.Mkdir(dir+"/d", 0o755),
		"rename":   os.Rename(text, text+"2"),
		"move out": os.Rename(text, m.path("text2")),
		"move in":  os.Rename(m.path("text"), dir+"/text"),
		"truncate": os.Truncate(text, 0),
		"chmod":    os.Chmod(text, 0o600),
		"times":    os.Chtimes(text, time.Now(), time.Now()),
		"xattr":    syscall.Setxattr(text, "user.type", []byte("string"), 0),
	} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v, want EROFS", what, err)
		}
	}
	if err := os.Mkdir(m.path(".ovscfgfs/history/new"), 0o755); !errors.Is(err, os.ErrPermission) {
		t.Errorf("mkdir of a revision: %v", err)
	}
	if m.store.count() != commits {
		t.Error("something was committed")
	}
}
