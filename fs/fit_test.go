package fs

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestFits(t *testing.T) {
	for _, c := range []struct {
		t    mapping.Type
		text string
		want bool
	}{
		{mapping.Number, "", true}, {mapping.Number, "-", true}, {mapping.Number, "80", true}, {mapping.Number, "80\n", true},
		{mapping.Number, "1.", true}, {mapping.Number, "1.5e", true}, {mapping.Number, "1e-", true}, {mapping.Number, "1E+10\n", true},
		{mapping.Number, "abc", false}, {mapping.Number, "8a", false}, {mapping.Number, "01", false}, {mapping.Number, "1.e", false},
		{mapping.Number, ".5", false}, {mapping.Number, "1 2", false}, {mapping.Number, "1e5x", false}, {mapping.Number, "1\n2", false},
		{mapping.Boolean, "tr", true}, {mapping.Boolean, "True\n", true}, {mapping.Boolean, "False", true}, {mapping.Boolean, "", true},
		{mapping.Boolean, "yes", false}, {mapping.Boolean, "TRUE", false}, {mapping.Boolean, "truex", false},
		{mapping.String, "abc", true}, {mapping.String, "ab\xc3", true}, {mapping.String, "ab\xc3\xa4", true}, {mapping.String, "\xff", false}, {mapping.String, "a\xc3b", false}, {mapping.String, "\xf0\x9f\x98", true}, {mapping.String, "\x80", false}, {mapping.Null, "x", true}, {mapping.Raw, "\xff", true},
	} {
		if got := fits(c.t, []byte(c.text)); got != c.want {
			t.Errorf("fits(%s, %q) = %v", c.t, c.text, got)
		}
	}
}

// FuzzFits holds that no beginning of a number is refused.
func FuzzFits(f *testing.F) {
	f.Add("-12.5e+10")
	f.Fuzz(func(t *testing.T, s string) {
		var n json.Number
		// White space around a number is JSON's and no part of it.
		if json.Unmarshal([]byte(s), &n) != nil || s == "null" || s == "" || s[0] == '"' || strings.ContainsAny(s, " \t\r\n") {
			return
		}
		for i := range len(s) + 1 {
			if !fits(mapping.Number, []byte(s[:i])) {
				t.Fatalf("%q of %q is refused", s[:i], s)
			}
		}
	})
}
