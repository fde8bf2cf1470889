package scratch

import (
	"fmt"
	"path"
	"strings"
)

// patterns is the table of scratch names, in the syntax of path.Match. What
// makes each of them was seen with strace.
var patterns = []string{
	".*",             // hidden files: vim's .a.swp, emacs' .#a, rsync's .a.XXXXXX, nano's .a.swp
	"*~",             // backups of vim, emacs, nano -B, cp -b
	"#*#",            // emacs' auto-save
	"*.sw[nopx]",     // vim, told to hide nothing
	"*.tmp",          // many
	"*.tmp.*",        // npm, Python's atomicwrites
	"*.tmp[0-9]*",    // Go's os.CreateTemp("x.tmp*")
	"*.bak",          // sed -i.bak, perl -i.bak, people
	"*.orig",         // patch -b
	"*.rej",          // patch
	"*.save",         // nano, killed
	"4913",           // vim asks with it whether the directory can be written
	"5036",           // what vim asks next
	"sed??????",      // sed -i
	"XX??????",       // perl -i
	"tmp.??????????", // mktemp
	"tmp[a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_][a-z0-9_]", // Python's tempfile
	"sponge.??????", // sponge, when TMPDIR is the directory
	"d2utmp??????",  // dos2unix, unix2dos
}

// ofPrograms are temporary names that a service's key might have as well
// (x.options), by the name of the program that makes them.
var ofPrograms = map[string][]string{
	"patch": {"*.o??????", "*.r??????"}, // its output and its rejects before their rename
	"emacs": {"tmp??????"},              // with file-precious-flag
	"zip":   {"zi??????"},               // the archive before its rename
}

// exempt are names that patterns cover and that belong to the tree.
var exempt = map[string]bool{
	".value":    true, // the value of a key that has keys below it
	".ovscfgfs": true, // the control directory
}

// Names decides which new names are scratch. It is immutable.
type Names struct{ extra []string }

// NewNames returns the table with the extra patterns, in the syntax of
// path.Match and matched against the last element of a path. A pattern that
// path.Match does not accept is an error.
func NewNames(extra []string) (*Names, error) {
	for _, p := range extra {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("scratch pattern %q is malformed; it takes * ? and [a-z]", p)
		}
	}
	return &Names{extra: append([]string(nil), extra...)}, nil
}

// Match reports whether a new file or directory of this name is scratch.
func (n *Names) Match(name string) bool {
	if exempt[name] {
		return false
	}
	return matches(patterns, name) || matches(n.extra, name)
}

// MatchOf reports whether a new file that is not scratch for all is for the
// program that makes it, which is asked for only if it matters. Of a program
// whose name cannot be learned ("") a name that looks like mkstemp's is.
func (n *Names) MatchOf(name string, program func() string) bool {
	for of, patterns := range ofPrograms {
		if !matches(patterns, name) {
			continue
		}
		switch by := program(); {
		case by == "":
			return strings.ContainsAny(name[len(name)-6:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
		case by == of || strings.HasPrefix(by, of+"-"): // emacs-nox
			return true
		}
	}
	return false
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		// The patterns are well formed: NewNames and a test saw to it.
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return false
}
