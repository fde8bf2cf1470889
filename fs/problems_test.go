package fs

import (
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// A file that a rename could not replace says why, whatever the source was called.
func TestRefusedRenameIsAProblemOfItsTarget(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	m.sh("bash", "sed -i s/8080/abc/ c/port", 4)
	buf := make([]byte, 256)
	n, err := unix.Getxattr(m.path("c/port"), xattrError, buf)
	if err != nil || !strings.Contains(string(buf[:n]), "is a number") {
		t.Errorf("%s is %q, %v", xattrError, buf[:max(n, 0)], err)
	}
	if lines := m.read(".ovscfgfs/errors"); !strings.Contains(lines, `"to":"c/port"`) {
		t.Errorf("the lines are %s", lines)
	}
	m.sh("bash", "sed -i s/8080/9090/ c/port", 0)
	if _, err := unix.Getxattr(m.path("c/port"), xattrError, buf); err == nil {
		t.Error("a success does not clear it")
	}
}

// A warning is a line among the failures, and no failure of its path.
func TestWarnings(t *testing.T) {
	p := newProblems()
	p.add("write", "a", syscall.EINVAL, mapping.Errorf(mapping.Invalid, "a", "is wrong"))
	p.warn("a", "breaks a rule")
	lines := string(p.lines())
	if !strings.Contains(lines, `"op":"warning","path":"a","error":"breaks a rule"`) || strings.Count(lines, "\n") != 2 {
		t.Errorf("the lines are %s", lines)
	}
	if p.of("a") != "is wrong" || p.count() != 1 {
		t.Errorf("%q, %d failures", p.of("a"), p.count())
	}
	for range maxProblems {
		p.warn("b", "again")
	}
	if lines := string(p.lines()); strings.Count(lines, "\n") != maxProblems || strings.Contains(lines, `"a"`) || p.of("a") != "" {
		t.Error("old lines stay")
	}
}
