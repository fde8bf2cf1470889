package mapping

import (
	"encoding/json"
	"strconv"
)

// Conflict is one place that two sides changed to different things.
type Conflict struct {
	// Path is the shown path: of a field, or of a whole value.
	Path string
	// Base is what both began with, Mine and Theirs what each made of it; one
	// that is not valid: nothing.
	Base, Mine, Theirs Node
}

// String is the conflict in words, one line. A secret's values are masked.
func (c Conflict) String() string {
	base, mine, theirs := c.texts()
	return "was " + base + ", is " + mine + " in the transaction and " + theirs + " outside by now"
}

// Between is String for other sides than a transaction and the tree.
func (c Conflict) Between(mine, theirs string) string {
	was, one, other := c.texts()
	return "was " + was + ", is " + one + " in " + mine + ", and " + other + " in " + theirs + " by now: someone else changed it too"
}

func (c Conflict) texts() (base, mine, theirs string) {
	nodes := [...]Node{c.Base, c.Mine, c.Theirs}
	hidden := false
	for _, n := range nodes {
		hidden = hidden || SecretAt(c.Path, n)
	}
	var texts [3]string
	for i, n := range nodes {
		switch {
		case !n.Valid():
			texts[i] = "nothing"
		case hidden || n.IsDir() && holdsSecret(c.Path, n):
			texts[i] = Masked
		case n.Type() == Directory:
			texts[i] = "a directory of keys"
		case n.IsDir():
			texts[i] = shortened(n, json.RawMessage(n.Stored()))
		default:
			texts[i] = shortened(n, textOf(n))
		}
	}
	return texts[0], texts[1], texts[2]
}

// holdsSecret reports whether a document has a secret at any depth.
func holdsSecret(path string, n Node) bool {
	for child := range n.Children() {
		at := joinPath(path, child.Name())
		if SecretAt(at, child) || child.IsDir() && holdsSecret(at, child) {
			return true
		}
	}
	return false
}

// Conflicts are why a Merge was refused, none left out. They are the cause of its Busy error.
type Conflicts []Conflict

func (c Conflicts) Error() string {
	if len(c) == 1 {
		return "changed by someone else too: " + c[0].Path
	}
	return "changed by someone else too: " + c[0].Path + " and " + strconv.Itoa(len(c)-1) + " more"
}
