package fs

import (
	"os"
	"testing"
)

// What a raw text is cut to may be a document, which is a directory: the call has done what it was to do.
func TestTruncateToADocument(t *testing.T) {
	for _, text := range []string{"[]\ntext", "{}text"} {
		m := mountTree(t, map[string]string{"/ovs/k": text})
		if got := m.read("k"); got != text+"\n" {
			t.Fatalf("it reads %q", got)
		}
		m.wantErr("truncate", os.Truncate(m.path("k"), 2), nil)
		m.settle()
		m.want("/ovs/k", text[:2])
		if got := m.list("k"); len(got) != 0 {
			t.Errorf("it lists %q", got)
		}
	}
}
