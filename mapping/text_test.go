package mapping

import "testing"

func TestTextRestoresWhatIsStored(t *testing.T) {
	tree := treeOf(t, "/ovs/d", "{\"a\":1 ,\n \"a\": 2}\n", "/ovs/s", "\"x\\/y\"", "/ovs/p", `"plain"`, "/ovs/n", " 5", "/ovs/r", "raw", "/ovs/k/x", "1", "/ovs/l", "[1]")
	copied := treeOf(t, "/ovs/d/a", "2", "/ovs/d/a%dup1", "1", "/ovs/l", "[]")
	for _, path := range []string{"d", "l"} {
		n, _ := tree.Lookup(path)
		text, ok := n.Text()
		if !ok {
			t.Fatalf("%s has no text", path)
		}
		copied, _ = commit(t, copied, SetText(path, text))
	}
	for _, path := range []string{"s", "n"} {
		n, _ := tree.Lookup(path)
		text, ok := n.Text()
		if !ok {
			t.Fatalf("%s has no text", path)
		}
		copied, _ = commit(t, copied, Write(path, n.Content(), WriteOptions{Type: n.Type(), Text: text}))
	}
	sameStored(t, copied, "d={\"a\":1 ,\n \"a\": 2}\n", "l=[1]", "n= 5", "s=\"x\\/y\"")
	other, _ := commit(t, copied, Write("s", []byte("other\n"), WriteOptions{Text: []byte(`"x\/y"`)}))
	other, _ = commit(t, other, SetText("l", []byte("[ ]")))
	sameStored(t, other, "d={\"a\":1 ,\n \"a\": 2}\n", "l=[1]", "n= 5", `s="other"`)
	for _, path := range []string{"p", "r", "k", "k/x", "d/a", ""} {
		n, _ := tree.Lookup(path)
		if text, ok := n.Text(); ok && path != "k/x" {
			t.Errorf("%s has the text %q", path, text)
		}
	}
	refused(t, tree, SetText("k/x", []byte("{}")), NotDirectory)
	refused(t, tree, SetText("none", []byte("{}")), NotFound)
	refused(t, tree, SetText("d", []byte("5")), Invalid)
	refused(t, tree, SetText("d", []byte("{")), Invalid)
	refused(t, tree, SetText("", []byte("{}")), NotPermitted)
}
