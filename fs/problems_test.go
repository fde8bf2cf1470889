package fs

import (
	"strings"
	"syscall"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

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
