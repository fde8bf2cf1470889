package scratch

import (
	"path"
	"testing"
)

func TestPatternsAreWellFormed(t *testing.T) {
	for _, p := range patterns {
		if _, err := path.Match(p, "x"); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestMatch(t *testing.T) {
	n, err := NewNames([]string{"*.local", "draft-[0-9]"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		".port.swp": true, "port~": true, "#port#": true, "4913": true, "sedAbC123": true, "a.tmp": true,
		"port.bak": true, ".config.json.Xy12zQ": true, "XXstsO2Z": true, "tmp.AbCdEf1234": true, "tmpab_12345": true, "d2utmpZwxa9D": true,
		"x.local": true, "draft-1": true,
		"port": false, ".value": false, ".ovscfgfs": false, "sediment": false, "session": false, "config": false,
		"49130": false, "draft-x": false, "tmp": false, "temporary-x": false, "config.ini": false, "a.json": false,
		"0": false, "xxxxxxxx": false, "5f1a2b3c": false,
	} {
		if got := n.Match(name); got != want {
			t.Errorf("Match(%q) = %v, want %v", name, got, want)
		}
	}
	if _, err := NewNames([]string{"[a"}); err == nil {
		t.Error("a malformed pattern was accepted")
	}
}

func TestMatchOf(t *testing.T) {
	n, err := NewNames(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, program string
		want          bool
	}{
		{"f.oJXIrIM", "patch", true}, {"f.rqvs6hF", "patch", true}, {"f.oabcdef", "patch", true}, {"mount.options", "patch", true},
		{"mount.options", "bash", false}, {"x.release", "cp", false}, {"f.oJXIrIM", "", true}, {"mount.options", "", false},
		{"tmp03B9sn", "emacs-nox", true}, {"tmp03B9sn", "emacs", true}, {"tmp03B9sn", "patch", false}, {"ziAbCdEf", "zip", true},
		{"port", "patch", false},
	} {
		if got := n.MatchOf(c.name, func() string { return c.program }); got != c.want {
			t.Errorf("MatchOf(%q, %q) = %v, want %v", c.name, c.program, got, c.want)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(".a", "*x")
	f.Add("\xff~", "[a")
	f.Fuzz(func(t *testing.T, name, pattern string) {
		n, err := NewNames([]string{pattern})
		if err != nil {
			return
		}
		n.Match(name)
		if n.Match(".value") && !matches([]string{pattern}, ".value") {
			t.Error(".value is scratch")
		}
	})
}
