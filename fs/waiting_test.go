package fs

import (
	"strings"
	"testing"
)

// TestNamesOfFieldsAmongKeys: a file that no key can be is refused, unless a
// copy says that it is a field.
func TestNamesOfFieldsAmongKeys(t *testing.T) {
	for _, c := range []struct {
		script string
		status int
	}{
		{"echo 1 > 'd/a%2Fb'", 1},
		{"set -C; echo 1 > 'd/a%2Fb'", 1},
		{"echo 1 > $TMPDIR/x; cp $TMPDIR/x 'd/a%2Fb'", 1},
		{"echo 1 > $TMPDIR/x; cp -a $TMPDIR/x 'd/a%2Fb'", 1},
		{"python3 -c 'f=open(\"d/a%2Fb\", \"x\"); f.write(\"1\"); f.close()'", 1},
		{"echo 1 > 'd/x%dup1'", 1},
		{"echo 1 > 'd/50%'", 1},
	} {
		m := mountTree(t, map[string]string{"/ovs/d/k": "1"})
		n := m.commits(func() {
			if out := m.sh("bash", c.script, c.status); !strings.Contains(out, "Invalid argument") {
				t.Errorf("%s: it says %q", c.script, out)
			}
		})
		if n != 0 {
			t.Errorf("%s: %d commits", c.script, n)
		}
		if got := m.list("d"); len(got) != 1 {
			t.Errorf("%s: there is %q", c.script, got)
		}
		if lines := m.read(".ovscfgfs/errors"); !strings.Contains(lines, "EINVAL") {
			t.Errorf("%s: .ovscfgfs/errors has %q", c.script, lines)
		}
	}
}

// TestWaitingFields: what waits is like any local file, and comes into the
// tree with its directory, in one change.
func TestWaitingFields(t *testing.T) {
	const waits = `set -e; mkdir src; echo 1 > src/n; setfattr -n user.type -v object src; echo 2 > 'src/a%2Fb'; cp -a 'src/a%2Fb' keys/; `
	for _, c := range []struct{ script, want string }{
		{"", "(no such key)"},
		{"setfattr -n user.type -v object keys", "{\n    \"k\": 1,\n    \"a/b\": 2\n}"},
		{"echo 3 > 'keys/a%2Fb'; setfattr -n user.type -v object keys", "{\n    \"k\": 1,\n    \"a/b\": 3\n}"},
		{"rm 'keys/a%2Fb'; setfattr -n user.type -v object keys", "{\n    \"k\": 1\n}"},
		{"mv 'keys/a%2Fb' src/c", "(no such key)"},
		{"getfattr -n user.ovscfgfs.error 'keys/a%2Fb' | grep -q waits", "(no such key)"},
	} {
		m := mountTree(t, map[string]string{"/ovs/keys/k": "1"})
		m.sh("bash", waits+c.script, 0)
		m.quiet()
		m.want("/ovs/keys", c.want)
	}
	m := mountTree(t, map[string]string{"/ovs/keys/k": "1"})
	m.sh("bash", waits, 0)
	n := m.commits(func() { m.sh("bash", "setfattr -n user.type -v object keys", 0) })
	if n != 1 {
		t.Errorf("%d commits, want one", n)
	}
	if got := m.read("keys/a%2Fb"); got != "2\n" {
		t.Errorf("it reads %q", got)
	}
}
