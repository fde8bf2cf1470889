package fs

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// config is a document as services store it; its spelling must survive.
const config = `{"name": "v1",  "port": 8080, "debug": false, "text": "one\ntwo", "list": ["a", "b"], "last": 1}`

// sh runs a script in the directory of the mount and returns its output; it fails
// the test unless the script ends with status.
func (m *mountedTest) sh(shell, script string, status int) string {
	m.t.Helper()
	return m.run(status, shell, "-c", script)
}

func (m *mountedTest) run(status int, program string, args ...string) string {
	m.t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		m.t.Fatalf("%s is not installed (.ci/run installs what the tests need): %v", program, err)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), patience)
	defer cancel()
	cmd := inside(ctx, m.dir, program, args...)
	cmd.WaitDelay = patience
	cmd.Env = append(os.Environ(), "TMPDIR="+m.t.TempDir(), "HOME="+m.t.TempDir(), "LC_ALL=C.UTF-8", "TERM=dumb")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != status {
		m.t.Fatalf("%s %q: status %d, want %d: %v\n%s", program, args, got, status, err, out.String())
	}
	return out.String()
}

// commits returns how many changes the store got during f, after what closes
// in the background has ended.
func (m *mountedTest) commits(f func()) int {
	m.t.Helper()
	before := m.store.count()
	f()
	m.quiet()
	return m.store.count() - before
}

// quiet waits until no file is open for writing.
func (m *mountedTest) quiet() {
	m.t.Helper()
	await(m.t, "all files are closed", func() bool {
		m.s.handles.mu.RLock()
		defer m.s.handles.mu.RUnlock()
		return len(m.s.handles.open) == 0
	})
}

func (f *fakeStore) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.commits
}

func (f *fakeStore) value(key string) string {
	kv, ok := f.Tree().Get(key)
	if !ok {
		return "(no such key)"
	}
	return string(kv.Value)
}

// want fails unless the key has the value.
func (m *mountedTest) want(key, value string) {
	m.t.Helper()
	if got := m.store.value(key); got != value {
		m.t.Errorf("%s is %q, want %q", key, got, value)
	}
}

func with(old, new string) string { return strings.Replace(config, old, new, 1) }

func TestShellsSayWhatIsRefused(t *testing.T) {
	for _, shell := range []string{"bash", "dash"} {
		for _, script := range []string{"echo abc > c/port", "printf abc > c/port", "printf 'x\n2\n' > c/port", "echo maybe > c/debug", "printf '\\377\nx\n' > c/text", "printf '\\377\nx\n' > c/new", "echo x > c/list/7"} {
			m := mountTree(t, map[string]string{"/ovs/c": config})
			n := m.commits(func() {
				if out := m.sh(shell, script, exitOf(shell, script)); out == "" {
					t.Errorf("%s: %s: no message", shell, script)
				}
			})
			m.want("/ovs/c", config)
			if n != 0 {
				t.Errorf("%s: %s: %d commits", shell, script, n)
			}
			if lines := m.read(".ovscfgfs/errors"); !strings.Contains(lines, "EINVAL") {
				t.Errorf("%s: %s: .ovscfgfs/errors has %q", shell, script, lines)
			}
		}
	}
}

// exitOf: dash has another status for a redirection that fails.
func exitOf(shell, script string) int {
	if shell == "dash" && strings.HasSuffix(script, "/7") {
		return 2
	}
	return 1
}

// TestRejects: what patch cannot place stays on the node.
func TestRejects(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	n := m.commits(func() {
		m.sh("bash", `printf -- '--- c/port\n+++ c/port\n@@ -1 +1 @@\n-1234\n+99\n' | patch c/port`, 1)
	})
	if n != 0 {
		t.Errorf("%d commits, want none", n)
	}
	if got := m.read("c/port.rej"); !strings.Contains(got, "+99") {
		t.Errorf("the rejects are %q", got)
	}
	m.want("/ovs/c", config)
}

// TestLinesOntoOneLine: bash writes line by line, and the first of them makes a
// string of one line whole. It cannot wait for what may follow: the shell
// looks at no error after the write.
func TestLinesOntoOneLine(t *testing.T) {
	for _, c := range []struct {
		shell, script string
		commits       int
	}{
		{"bash", `printf '1\n2\n' > c/name`, 2},
		{"dash", `printf '1\n2\n' > c/name`, 1},
		{"bash", `printf '1\n2\n' | cat > c/name`, 1},
		{"bash", `printf '1\n2\n' > c/name.tmp && mv c/name.tmp c/name`, 1},
		{"bash", `printf '1\n2\n' > c/text`, 1},
	} {
		m := mountTree(t, map[string]string{"/ovs/c": config})
		if n := m.commits(func() { m.sh(c.shell, c.script, 0) }); n != c.commits {
			t.Errorf("%s: %s: %d commits, want %d", c.shell, c.script, n, c.commits)
		}
		if strings.Contains(c.script, "c/text") {
			m.want("/ovs/c", with(`one\ntwo`, `1\n2`))
		} else {
			m.want("/ovs/c", with(`"v1"`, `"1\n2"`))
		}
	}
}

func TestErrorIsInTheAttribute(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	m.sh("bash", "echo abc > c/port", 1)
	out := m.run(0, "getfattr", "-n", "user.ovscfgfs.error", "c/port")
	if !strings.Contains(out, "number") {
		t.Errorf("user.ovscfgfs.error: %s", out)
	}
	m.sh("bash", "echo 1 > c/port", 0)
	m.run(1, "getfattr", "-n", "user.ovscfgfs.error", "c/port")
}

// TestSaves saves a new content over a field with each tool: exactly one
// commit, type and place kept.
func TestSaves(t *testing.T) {
	port, text := with("8080", "9090"), with(`one\ntwo`, `1\n2`)
	for _, c := range []struct{ name, shell, script, want string }{
		{"echo", "bash", "echo 9090 > c/port", port},
		{"echo in dash", "dash", "echo 9090 > c/port", port},
		{"printf without newline", "bash", "printf 9090 > c/port", port},
		{"printf without newline in dash", "dash", "printf 9090 > c/port", port},
		{"printf of lines", "bash", `printf '1\n2\n' > c/text`, text},
		{"printf of lines in dash", "dash", `printf '1\n2\n' > c/text`, text},
		{"group of commands", "dash", `{ echo 1; echo 2; } > c/text`, text},
		{"append", "bash", "echo three >> c/text", with(`two`, `two\nthree`)},
		{"append twice", "bash", "{ echo three; echo four; } >> c/text", with(`two`, `two\nthree\nfour`)},
		{"external command", "bash", "/bin/echo 9090 > c/port", port},
		{"cat", "bash", "echo 9090 | cat > c/port", port},
		{"tee", "bash", "echo 9090 | tee c/port", port},
		{"tee -a", "bash", "echo three | tee -a c/text", with(`two`, `two\nthree`)},
		{"dd", "bash", "echo 9090 | dd of=c/port", port},
		{"dd of single bytes", "bash", "echo 9090 | dd of=c/port bs=1", port},
		{"dd without truncation", "bash", "printf 9 | dd of=c/port bs=1 seek=2 conv=notrunc", with("8080", "8090")},
		{"truncate", "bash", "truncate -s 2 c/port", with("8080", "80")},
		{"sed -i", "bash", "sed -i s/8080/9090/ c/port", port},
		{"sed -i with a backup", "bash", "sed -i.bak s/8080/9090/ c/port", port},
		{"perl -i", "bash", "perl -i -pe s/8080/9090/ c/port", port},
		{"perl -i with a backup", "bash", "perl -i.bak -pe s/8080/9090/ c/port", port},
		{"vim", "bash", "vim -u NONE -es -c 'set backupskip=' -c %s/8080/9090/ -c wq c/port", port},
		{"vim with a backup", "bash", "vim -u NONE -es -c 'set backup backupskip=' -c %s/8080/9090/ -c wq c/port", port},
		{"vim with a renamed backup", "bash", "vim -u NONE -es -c 'set backup backupcopy=no backupskip=' -c %s/8080/9090/ -c wq c/port", port},
		{"vim on lines", "bash", "vim -u NONE -es -c 'set nobackup backupcopy=no backupskip=' -c '%s/one/1/' -c '%s/two/2/' -c wq c/text", text},
		{"ed", "bash", `printf '%s\n' ,s/8080/9090/ w q | ed -s c/port`, port},
		{"emacs", "bash", `emacs -Q --batch c/port --eval '(progn (erase-buffer) (insert "9090\n") (save-buffer))'`, port},
		{"sponge", "bash", "sed s/8080/9090/ c/port | sponge c/port", port},
		{"sponge in the directory", "bash", "sed s/8080/9090/ c/port | TMPDIR=$PWD/c sponge c/port", port},
		{"cp", "bash", "echo 9090 > $TMPDIR/port; cp $TMPDIR/port c/port", port},
		{"cp -a", "bash", "echo 9090 > $TMPDIR/port; cp -a $TMPDIR/port c/port", port},
		{"cp --remove-destination", "bash", "echo 9090 > $TMPDIR/port; cp --remove-destination $TMPDIR/port c/port", port},
		{"cp --backup", "bash", "echo 9090 > $TMPDIR/port; cp --backup $TMPDIR/port c/port", port},
		{"mv from elsewhere", "bash", "echo 9090 > $TMPDIR/port; mv $TMPDIR/port c/port", port},
		{"mv of a scratch file", "bash", "echo 9090 > c/port.tmp; mv c/port.tmp c/port", port},
		{"mv away and back", "bash", "mv c/port c/port~; echo 9090 > c/port", port},
		{"install", "bash", "echo 9090 > $TMPDIR/port; install -m 640 $TMPDIR/port c/port", port},
		{"tar x", "bash", "mkdir $TMPDIR/c; echo 9090 > $TMPDIR/c/port; tar cC $TMPDIR c/port | tar x", port},
		{"rsync", "bash", "echo 90 > $TMPDIR/port; rsync $TMPDIR/port c/port", with("8080", "90")},
		{"rsync -a", "bash", "echo 90 > $TMPDIR/port; rsync -a $TMPDIR/port c/port", with("8080", "90")},
		{"rsync --inplace", "bash", "echo 90 > $TMPDIR/port; rsync -a --inplace $TMPDIR/port c/port", with("8080", "90")},
		{"patch", "bash", "sed s/8080/9090/ c/port | diff -u c/port - | patch c/port", port},
		{"emacs, carefully", "bash", `emacs -Q --batch c/port --eval '(progn (setq file-precious-flag t) (erase-buffer) (insert "9090\n") (save-buffer))'`, port},
		{"unix2dos", "bash", "unix2dos -q c/text", with(`one\ntwo`, `one\r\ntwo\r`)},
		{"patch with a backup", "bash", "sed s/8080/9090/ c/port | diff -u c/port - | patch -b c/port", port},
		{"git apply", "bash", `printf '%s\n' 'diff --git a/c/port b/c/port' '--- a/c/port' '+++ b/c/port' '@@ -1 +1 @@' -8080 +9090 | git apply`, port},
		{"python", "bash", `python3 -c 'open("c/port", "w").write("9090")'`, port},
		{"python, atomically", "bash", `python3 -c 'import os,tempfile; f=tempfile.NamedTemporaryFile("w",dir="c",delete=False); f.write("9090\n"); f.close(); os.replace(f.name,"c/port")'`, port},
		{"a view", "bash", "sed s/8080/9090/ c.json > $TMPDIR/x; cat $TMPDIR/x > c.json", port},
		{"a view with sed -i", "bash", "sed -i s/8080/9090/ c.json", port},
		{"a view with vim", "bash", "vim -u NONE -es -c 'set backup backupcopy=no backupskip=' -c %s/8080/9090/ -c wq c.json", port},
		{"a list", "bash", "echo c >> c/list.lines", with(`"b"]`, `"b", "c"]`)},
		{"a list with sed -i", "bash", "sed -i /a/d c/list.lines", with(`"a", `, ``)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := mountTree(t, map[string]string{"/ovs/c": config})
			n := m.commits(func() { m.sh(c.shell, c.script, 0) })
			m.want("/ovs/c", c.want)
			if n != 1 {
				t.Errorf("%d commits, want 1", n)
			}
			if got := m.read("c.json"); got != c.want+"\n" {
				t.Errorf("c.json reads %q", got)
			}
			for _, name := range m.list("") {
				if name != "c" && !strings.HasSuffix(name, "~") {
					t.Errorf("the root lists %q", name)
				}
			}
		})
	}
}
