package echo

import (
	"bytes"
	"testing"
)

func FuzzRequest(f *testing.F) {
	for _, r := range []Request{{Op: Touch, Path: "a/b"}, {Op: Rename, Path: "a", To: "b"}, {Op: Mkdir}, {Op: touchAll, Path: "a" + pathSeparator + "b/c"}} {
		f.Add(r.append(nil))
	}
	f.Add([]byte{})
	f.Add([]byte{9, 0, 0})
	f.Add([]byte{1, 255, 255, 'a'})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err != nil {
			return
		}
		if again := r.append(nil); !bytes.Equal(again, b) {
			t.Errorf("%q became %q", b, again)
		}
	})
}
