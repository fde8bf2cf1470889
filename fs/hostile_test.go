package fs

import (
	"strings"
	"testing"
)

// Whatever is stored is shown under some name and reads back exactly.
func TestHostileTree(t *testing.T) {
	values := map[string]string{
		"/ovs/a//b":              "1",
		"/ovs/./..":              "2",
		"/ovs/../x":              "3",
		"/ovs/.value":            "4",
		"/ovs/.ovscfgfs/status":  "5",
		"/ovs/%":                 "6",
		"/ovs/%25":               "7",
		"/ovs/new\nline":         "8",
		"/ovs/\xff\xfe":          "9",
		"/ovs/nul\x00":           "10",
		"/ovs/" + long(300, "k"): "11",
		"/ovs/" + long(300, "l"): `{"` + long(400, "f") + `": 1}`,
		"/ovs/duplicate":         `{"a": 1, "a": 2, "a": {"b": 1, "b": 2}}`,
		"/ovs/names":             `{"": 1, "/": 2, ".": 3, "..": 4, ".value": 5, "\u0000": 6, "%": 7, "a/b": {"c/d": 8}}`,
		"/ovs/deep":              strings.Repeat(`{"d":`, 60) + "1" + strings.Repeat("}", 60),
		"/ovs/too-deep":          strings.Repeat(`[`, 5000) + strings.Repeat("]", 5000),
		"/ovs/utf8":              "{\"bad\": \"\xff\xfe\"}",
		"/ovs/escapes":           `{"s": "\ud83d\ude00 \u00e9 \ud800 \n"}`,
		"/ovs/crlf":              "a\r\nb\r\n",
		"/ovs/binary":            "\x00\x01\x02",
		"/ovs/large":             `"` + strings.Repeat("x", 1<<20) + `"`,
		"/ovs/both":              `{"x": 1, ".value": 2}`,
		"/ovs/both/x":            "key",
		"/ovs/both/x/y":          "below",
		"/ovs/numbers":           `[1e400, -0, 1.0, 123456789012345678901234567890]`,
		"/ovs/views.json":        "real",
		"/ovs/views":             `{"a": 1}`,
		"/ovs/views.json/x.json": "1",
	}
	for name, option := range map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly} {
		t.Run(name, func(t *testing.T) {
			m := mountTree(t, values, option)
			m.compareWithTree()
			// The same from the kernel's caches, and after every value has changed.
			m.compareWithTree()
			changed := map[string]string{}
			for key, value := range values {
				changed[key] = strings.ReplaceAll(value, "1", "22")
			}
			m.store.put(changed)
			m.settle()
			m.compareWithTree()
		})
	}
}

func long(n int, s string) string { return strings.Repeat(s, n) }

// FuzzNumber: numbers that users see are never those with a meaning of their own.
func FuzzNumber(f *testing.F) {
	f.Add("")
	f.Add("a/b")
	f.Add("\xff%2F")
	f.Fuzz(func(t *testing.T, path string) {
		if n := new(moves).number([]byte(path)); n <= rootID {
			t.Errorf("%q has number %d", path, n)
		}
		if c := cookieOf(path); c < cookieName || c >= 1<<63 {
			t.Errorf("%q has cookie %d", path, c)
		}
	})
}
