package fs

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// copied are values with all that a copy could lose.
var copied = map[string]string{
	"/ovs/src/doc":        `{"s": "8080", "n": 8080, "f": 1.50, "b": true, "z": null, "e": "", "o": {"x": "true"}, "a": [1, "2", [], {}], "lines": "a\nb"}`,
	"/ovs/src/spaced":     "{\n    \"z\" : [ 1.50, [],{\"x\":null} ],\n\t\"a\":\"\\u00e9\\/\"\n}\n",
	"/ovs/src/list":       "[1,  \"2\"]",
	"/ovs/src/none":       "{ }",
	"/ovs/src/keys/n":     "5",
	"/ovs/src/keys/esc":   `"a\/b"`,
	"/ovs/src/keys/space": " 5\n",
	"/ovs/src/keys/s":     `"5"`,
	"/ovs/src/keys/raw":   "no newline",
	"/ovs/src/keys/raw2":  "a newline\n",
	"/ovs/src/keys/lines": "a\nb",
	"/ovs/src/keys/bin":   "\x00\xff\n",
	"/ovs/src/keys/e":     `""`,
}

// TestCopies copies a directory of documents and keys with the tools that copy
// attributes: the same values come out under another name.
func TestCopies(t *testing.T) {
	for _, c := range []struct{ name, script string }{
		{"cp -a", "cp -a src dst"},
		{"rsync -aX", "rsync -aX src/ dst/"},
		{"tar --xattrs", "tar c --xattrs --xattrs-include='user.*' -C src . > $TMPDIR/t && mkdir dst && tar x --xattrs --xattrs-include='user.*' -C dst < $TMPDIR/t"},
		{"by way of a disk", "cp -a src $TMPDIR/x && cp -a $TMPDIR/x dst"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mountTree(t, copied)
			out := m.sh("bash", "set -e; "+c.script, 0)
			if out != "" {
				t.Errorf("it complains: %s", out)
			}
			m.quiet()
			for key, want := range copied {
				to := strings.Replace(key, "/src/", "/dst/", 1)
				got := m.store.value(to)
				if got != want {
					t.Errorf("%s is %q, want %q", to, got, want)
				}
				m.want(key, copied[key])
			}
		})
	}
}

// TestRemoveWhatWasLocal removes directories that this mount had made before
// they became part of a document: by somebody else, and as rsync -X does it.
func TestRemoveWhatWasLocal(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	m.sh("bash", "mkdir -p d/o", 0)
	m.store.put(map[string]string{"/ovs/d": `{"o": {}, "f": 1}`})
	if out := m.sh("bash", "cat d/f && rm -r d", 0); out != "1\n" {
		t.Errorf("it says %q", out)
	}
	m.want("/ovs/d", "(no such key)")
	m.sh("bash", `set -e; mkdir -p e/o; setfattr -n user.ovscfgfs.text -v '{"o": {"x": 1}, "f": 1}' e; rm -r e`, 0)
	m.want("/ovs/e", "(no such key)")
	if got := m.list(""); len(got) != 1 {
		t.Errorf("there is still %q", got)
	}
}

// TestRsyncAgain holds that a second run finds nothing to do.
func TestRsyncAgain(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config, "/ovs/dst/old": "1"})
	src := t.TempDir()
	for name, text := range map[string]string{"a": "1\n", "b": "x\ny\n"} {
		if err := os.WriteFile(src+"/"+name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	m.run(0, "rsync", "-a", "--delete", src+"/", "dst/")
	m.want("/ovs/dst/a", "1")
	m.want("/ovs/dst/old", "(no such key)")
	n := m.commits(func() {
		if out := m.run(0, "rsync", "-ai", "--delete", src+"/", "dst/"); strings.Contains(out, ">f") {
			t.Errorf("it sends again: %s", out)
		}
	})
	if n != 0 {
		t.Errorf("%d commits", n)
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		before map[string]string
		script string
		key    string
		want   string
	}{
		{map[string]string{"/ovs/k": "5"}, "setfattr -n user.type -v string k", "/ovs/k", `"5"`},
		{map[string]string{"/ovs/k": `"5"`}, "setfattr -n user.type -v number k", "/ovs/k", `5`},
		{map[string]string{"/ovs/k": "5"}, "setfattr -n user.type -v number k", "/ovs/k", `5`},
		{map[string]string{"/ovs/d/a": "5", "/ovs/d/b": "x y"}, "setfattr -n user.type -v object d", "/ovs/d", ``},
		{map[string]string{"/ovs/d": `{"a": 5}`}, "setfattr -n user.type -v directory d", "/ovs/d/a", `5`},
		{map[string]string{"/ovs/a": "1"}, "mkdir d; setfattr -n user.type -v object d; echo 1 > d/x", "/ovs/d", `{"x": 1}`},
		{map[string]string{"/ovs/a": "1"}, "mkdir d; setfattr -n user.type -v array d; echo 1 > d/0", "/ovs/d", `[1]`},
		{map[string]string{"/ovs/a": "1"}, "touch .x; setfattr -n user.type -v string .x; echo 5 > .x; mv .x k", "/ovs/k", `"5"`},
	} {
		m := mountTree(t, c.before)
		m.sh("bash", "set -e; "+c.script, 0)
		m.quiet()
		if c.want == "" {
			if v := m.store.value(c.key); !strings.Contains(v, `"a"`) {
				t.Errorf("%s: %s", c.script, v)
			}
			continue
		}
		if got := m.store.value(c.key); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.script, c.key, got, c.want)
		}
	}
	m := mountTree(t, map[string]string{"/ovs/k": `"abc"`})
	m.run(1, "setfattr", "-n", "user.type", "-v", "number", "k")
	m.want("/ovs/k", `"abc"`)
}

// TestHostileNames writes beside and over values that no well-behaved program stores.
func TestHostileNames(t *testing.T) {
	values := map[string]string{
		"/ovs/dup":         `{"a": 1, "a": 2, "b": 3}`,
		"/ovs//empty":      "1",
		"/ovs/v":           `"own"`,
		"/ovs/v/below":     "2",
		"/ovs/bad\xff":     "3",
		"/ovs/pct%41":      "4",
		"/ovs/dot/..":      "5",
		"/ovs/utf":         "{\"x\": \"\xff\", \"y\": 1}",
		"/ovs/deep":        strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60),
		"/ovs/crlf":        "{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n",
		"/ovs/doc/..value": "6",
	}
	m := mountTree(t, values)
	want := maps.Clone(values)
	tree := m.store.Tree()
	touched := 0
	var each func(dir string, n mapping.Node)
	each = func(dir string, n mapping.Node) {
		for c := range n.Children() {
			p := join(dir, c.Name())
			if c.IsDir() {
				each(p, c)
				continue
			}
			touched++
			// The same content written again changes nothing.
			m.write(p, m.read(p))
		}
	}
	each("", tree.Root())
	for key, value := range want {
		m.want(key, value)
	}
	if n := m.store.count(); n != 0 {
		t.Errorf("%d commits, want none", n)
	}
	if touched < 12 {
		t.Errorf("only %d leaves were written", touched)
	}
	m.write("dup/b", "4\n")
	m.want("/ovs/dup", `{"a": 1, "a": 2, "b": 4}`)
	m.write("crlf/a", "9\n")
	m.want("/ovs/crlf", "{\r\n  \"a\": 9,\r\n  \"b\": 2\r\n}\r\n")
	m.write("v/.value", "new\n")
	m.want("/ovs/v", `"new"`)
	m.write("bad\xff", "7\n")
	m.want("/ovs/bad\xff", "7")
	m.write("deep/"+strings.Repeat("a/", 59)+"a", "2\n")
	m.want("/ovs/deep", strings.Replace(values["/ovs/deep"], "1", "2", 1))
}

// TestRsyncNested copies a document with directories in it, which the attribute
// of the outermost stores whole while rsync still makes the others.
func TestRsyncNested(t *testing.T) {
	doc := `{"s": "8080", "o": {"x": "true"}, "a": [1, "2", [], {}]}`
	m := mountTree(t, map[string]string{"/ovs/src/doc": doc})
	for i := range 25 {
		if out := m.sh("bash", fmt.Sprintf("mkdir d%d && rsync -aX src/doc d%d/", i, i), 0); out != "" {
			t.Errorf("it complains: %s", out)
		}
		m.want(fmt.Sprintf("/ovs/d%d/doc", i), doc)
		if got := m.list(fmt.Sprintf("d%d/doc/a", i)); len(got) != 4 {
			t.Errorf("the copied array lists %q", got)
		}
	}
}

// TestCopyIsExactBeforeTheRelease tells the text of a copied document right after its fields with the names of scratch
// files were closed: the kernel says only later that nobody has them open any more, as for a second descriptor.
func TestCopyIsExactBeforeTheRelease(t *testing.T) {
	const text = `{"a": 1, ".x": 1,  "x~": "two"}`
	m := mountTree(t, map[string]string{"/ovs/doc": `{"a": 1}`})
	for name, field := range map[string]struct{ content, is string }{".x": {"1\n", "number"}, "x~": {"two\n", "string"}} {
		f, err := os.OpenFile(m.path("doc/"+name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		second, err := syscall.Dup(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(second)
		_, err = f.WriteString(field.content)
		m.wantErr("write", err, nil)
		m.wantErr("type", unix.Fsetxattr(int(f.Fd()), xattrType, []byte(field.is), 0), nil)
		m.wantErr("close", f.Close(), nil)
		reader, err := os.Open(m.path("doc/" + name))
		m.wantErr("open for reading", err, nil)
		defer reader.Close()
	}
	m.wantErr("text", unix.Setxattr(m.path("doc"), xattrText, []byte(text), 0), nil)
	m.want("/ovs/doc", text)
}

// TestCopyWithAFileBeingWritten: what is still written is no field of the copy.
func TestCopyWithAFileBeingWritten(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/doc": `{"a": 1}`})
	f, err := os.OpenFile(m.path("doc/.x"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	m.wantErr("type", unix.Fsetxattr(int(f.Fd()), xattrType, []byte("number"), 0), nil)
	_, err = f.WriteString("1\n")
	m.wantErr("write", err, nil)
	m.wantErr("text", unix.Setxattr(m.path("doc"), xattrText, []byte(`{"a": 1, ".x": 1}`), 0), nil)
	m.want("/ovs/doc", `{"a": 1}`)
	m.wantErr("close", f.Close(), nil)
	m.wantErr("text", unix.Setxattr(m.path("doc"), xattrText, []byte(`{"a": 1, ".x": 1}`), 0), nil)
	m.want("/ovs/doc", `{"a": 1, ".x": 1}`)
}
