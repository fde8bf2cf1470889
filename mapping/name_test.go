package mapping

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNames(t *testing.T) {
	tests := []struct{ segment, name string }{
		{"port", "port"},
		{"a b\tc", "a b\tc"},
		{"", "%empty"},
		{"%", "%25"},
		{"%empty", "%25empty"},
		{"a/b\x00c", "a%2Fb%00c"},
		{".", "%2E"},
		{"..", "%2E%2E"},
		{"...", "..."},
		{".hidden", ".hidden"},
		{".value", "%2Evalue"},
		{".ovscfgfs", "%2Eovscfgfs"},
		{"\xff\xfe", "\xff\xfe"},
		{strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{strings.Repeat("x", 256), strings.Repeat("x", 206) + "%~e3be7027d77d8aaed4e0ba6a2d0b6cd8"},
	}
	for _, test := range tests {
		name := EncodeName(test.segment)
		if i := strings.Index(test.name, cutMark); i >= 0 {
			if name[:i+2] != test.name[:i+2] || len(name) != len(test.name) {
				t.Errorf("EncodeName(%q) = %q, want about %q", test.segment, name, test.name)
			}
			continue
		}
		if name != test.name {
			t.Errorf("EncodeName(%q) = %q, want %q", test.segment, name, test.name)
		}
		if segment, err := DecodeName(name); err != nil || segment != test.segment {
			t.Errorf("DecodeName(%q) = %q, %v", name, segment, err)
		}
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", ".value", ".ovscfgfs", "a/b", "a\x00", "%", "%2", "%2f", "%2F%", "%41", "%zz", "%emptyx",
		"a%json", "a%dup1",
		strings.Repeat("x", 256), EncodeName(strings.Repeat("x", 300)),
	} {
		segment, err := DecodeName(name)
		if err == nil || KindOf(err) != Invalid {
			t.Errorf("DecodeName(%q) = %q, %v; want a refusal that is Invalid", name, segment, err)
		}
	}
}

func TestLongNamesAreFound(t *testing.T) {
	long := strings.Repeat("long name ", 30)
	keys := []string{
		"/ovs/" + long + "1", "1", "/ovs/" + long + "2", "2", "/ovs/" + long + "2/" + long, "3",
		"/ovs/" + strings.Repeat("é", 200), "4", "/ovs/" + strings.Repeat("%", 200), "5",
		"/ovs/d", `{"` + strings.Repeat("x", 252) + `": 1, "` + strings.Repeat("x", 252) + `": 2, "` + long + `": 3}`,
		"/ovs/d/" + strings.Repeat("x", 252), "6",
	}
	tree := treeOf(t, keys...)
	checkTree(t, tree)
	for child := range tree.Root().Children() {
		if name := child.Name(); !utf8.ValidString(name) {
			t.Errorf("a character is cut in %q", name)
		}
	}
	if _, err := tree.KeyOf(EncodeName(long + "none")); KindOf(err) != NotFound {
		t.Errorf("KeyOf of a cut name that nothing has: %v", err)
	}
}

// FuzzName holds that names and segments are exact inverses, that each name is
// one the kernel accepts, and that no other spelling is taken for a segment.
func FuzzName(f *testing.F) {
	for _, s := range []string{
		"", ".", "..", "...", ".value", ".ovscfgfs", "%", "%2F", "%empty", "%~", "a/b", "\x00", "\xff", "a%json", "a%dup1",
		strings.Repeat("é", 130), strings.Repeat("%", 90), strings.Repeat("\x80", 300), strings.Repeat("a", 205) + "%é" + strings.Repeat("\x80", 99),
	} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		name := EncodeName(a)
		if name == "" || len(name) > 255 || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." || name == ".value" || name == ".ovscfgfs" {
			t.Fatalf("EncodeName(%q) = %q", a, name)
		}
		if utf8.ValidString(a) != utf8.ValidString(name) && utf8.ValidString(a) {
			t.Fatalf("EncodeName(%q) = %q is no longer UTF-8", a, name)
		}
		if a != b && name == EncodeName(b) {
			t.Fatalf("%q and %q have one name", a, b)
		}
		segment, err := DecodeName(name)
		if strings.Contains(name, "%~") {
			if err == nil {
				t.Fatalf("the cut name %q decodes to %q", name, segment)
			}
		} else if err != nil || segment != a {
			t.Fatalf("DecodeName(EncodeName(%q)) = %q, %v", a, segment, err)
		}
		if segment, err := DecodeName(b); err == nil && EncodeName(segment) != b {
			t.Fatalf("%q decodes to %q, whose name is %q", b, segment, EncodeName(segment))
		}
		tree, err := NewTree(Settings{Prefix: "/p"})
		if err != nil {
			t.Fatal(err)
		}
		checkTree(t, put(tree, 1, "/p/"+a, "1", "/p/"+b, "2", "/p/x/"+b+"/"+a, "3"))
	})
}
