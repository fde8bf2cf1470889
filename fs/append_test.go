package fs

import (
	"os"
	"testing"
)

// TestAppendingThroughAFileThatStaysOpen has two append in turn, each through
// one open file, as scripts with exec 5>> do. This mount's is stored by fsync.
func TestAppendingThroughAFileThatStaysOpen(t *testing.T) {
	for _, c := range []struct {
		name, key, path, before string
		others, write           []string // what others make it before each write
		want                    string
	}{
		{"a raw value", "/ovs/k", "k", "x\ny\n", []string{"x\ny\nA\n", "x\ny\nA\n1\nB\n"}, []string{"1\n", "2\n"}, "x\ny\nA\n1\nB\n2\n"},
		{"a raw value, others only before the first", "/ovs/k", "k", "x\ny\n", []string{"x\ny\nA\n", ""}, []string{"1\n", "2\n"}, "x\ny\nA\n1\n2\n"},
		{"a raw value that ends without a newline", "/ovs/k", "k", "x\ny", []string{"", "x\ny\n1\nA\n"}, []string{"1", "2\n"}, "x\ny\n1\nA\n2\n"},
		{"nobody else", "/ovs/k", "k", "x\ny\n", []string{"", ""}, []string{"1", "2\n"}, "x\ny\n12"},
		{"a field", "/ovs/c", "c/text", config, []string{with(`two`, `two\nA`), with(`two`, `two\nA\n1\nB`)}, []string{"1\n", "2\n"}, with(`two`, `two\nA\n1\nB\n2`)},
		{"a view", "/ovs/l", "l.lines", `["x"]`, []string{`["x","A"]`, `["x","A","1","B"]`}, []string{"1\n", "2\n"}, `["x","A","1","B","2"]`},
		{"what others removed the end of", "/ovs/k", "k", "x\ny\n", []string{"", "x\n"}, []string{"1\n", "2\n"}, "x\n2\n"},
	} {
		m := mountTree(t, map[string]string{c.key: c.before})
		f, err := os.OpenFile(m.path(c.path), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		for k, text := range c.write {
			if c.others[k] != "" {
				m.store.put(map[string]string{c.key: c.others[k]})
			}
			if _, err := f.WriteString(text); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if err := f.Sync(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := m.store.value(c.key); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestAppendingToAFileThatIsNewToBoth has two create one file and append to it.
func TestAppendingToAFileThatIsNewToBoth(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/k": "x"})
	f, err := os.OpenFile(m.path("new"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	m.store.put(map[string]string{"/ovs/new": "A\nB\n"})
	if _, err := f.WriteString("1\n2\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	m.want("/ovs/new", "A\nB\n1\n2\n")
	// Who writes it anew, without appending, replaces it as ever.
	m.write("new", "3\n4\n")
	m.want("/ovs/new", "3\n4\n")
}
