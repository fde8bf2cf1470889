package mapping

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	tree := holding(t, map[string]string{
		"/ovs/a/config":     `{"port": 1, "a.b": {"c": [10, 20]}, "x/y": 2, "": 3, "t~e": 4}`,
		"/ovs/a/config/x":   `1`,
		"/ovs/a/both":       `{"n": 1}`,
		"/ovs/a/both/n":     `2`,
		"/ovs/v":            "7",
		"/ovs/v/below":      "8",
		"/ovs/odd|key#/end": "9",
		"/ovs/100%":         "10",
	})
	for _, c := range []struct{ arg, mountpoint, want string }{
		{"/ovs", "", ""},
		{"/ovs/", "", ""},
		{"/ovs/a/config", "", "a/config"},
		{"/ovs/a/config/", "", "a/config"},
		{"ovs/a/config|port", "", "a/config/port"},
		{"/ovs/a/config/port", "", "a/config/port"},
		{"/mnt/a/config/port", "/mnt", "a/config/port"},
		{"/mnt/./a/../a//config/port", "/mnt", "a/config/port"},
		{"/mnt", "/mnt", ""},
		{"/ovs/a/config/port", "/mnt", "a/config/port"},
		{"/ovs/a/config|port", "/ovs", "a/config/port"},
		{"/mnt/a/config|port", "/mnt", "a/config/port"},
		{`/ovs/a/config|["a.b"].c`, "", "a/config/a.b/c"},
		{`/ovs/a/config|["a.b"].c[1]`, "", "a/config/a.b/c/1"},
		{`/ovs/a/config|["a.b"]["c"].1`, "", "a/config/a.b/c/1"},
		{"/ovs/a/config#/a.b/c/0", "", "a/config/a.b/c/0"},
		{"/ovs/a/config#/x~1y", "", "a/config/x%2Fy"},
		{"/ovs/a/config#/t~0e", "", "a/config/t~e"},
		{"/ovs/a/config#/", "", "a/config/%empty"},
		{"/ovs/a/config|", "", "a/config"},
		{"/ovs/a/both|n", "", "a/both/n%json"},
		{"/ovs/a/both/n", "", "a/both/n"},
		{"/ovs/v|", "", "v/.value"},
		{"/ovs/v", "", "v"},
		{"/ovs/odd|key#/end|", "", "odd|key#/end"},
		{"/ovs/100%", "/mnt", "100%25"},
		{"/mnt/100%25", "/mnt", "100%25"},
		{"/ovs/none|such.thing", "", "none/such/thing"},
	} {
		a, err := ParseAddress(c.arg, "/ovs", c.mountpoint)
		if err != nil {
			t.Errorf("%s: %v", c.arg, err)
			continue
		}
		if got, err := a.In(tree); err != nil || got != c.want {
			t.Errorf("%s is %q (%v), want %q", c.arg, got, err, c.want)
		}
	}
	for _, arg := range []string{"", "|a", "#/a", "/other/a", "/ovsx", "/ovs/a|.", "/ovs/a|b..c", `/ovs/a|["x`, "/ovs/a|b[", "/ovs/a|[]", "/ovs/a|[1]x", "/ovs/a#/~2", "relative/x"} {
		if a, err := ParseAddress(arg, "/ovs", "/mnt"); KindOf(err) != Invalid {
			t.Errorf("%q is %+v, error %v", arg, a, err)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: several lines: %v", arg, err)
		}
	}
}

// FuzzAddress: no argument harms, and each field of each key can be named in both ways.
func FuzzAddress(f *testing.F) {
	f.Add("/ovs/a|b.c", "a", "b.c")
	f.Add(`/ovs/x|["a"]`, "k|#/", `q"]|`)
	f.Add("/mnt/a#/~1", "", "~/")
	f.Add("", "a#", "#")
	f.Fuzz(func(t *testing.T, arg, segment, field string) {
		tree := holding(t, map[string]string{"/ovs/x": `{"a": {"b": 1}}`})
		if a, err := ParseAddress(arg, "/ovs", "/mnt"); err == nil {
			if path, err := a.In(tree); err == nil {
				tree.Lookup(path)
			}
		}
		name, ok := quote([]byte(field))
		if !ok || strings.HasSuffix(segment, "/") || segment == "" {
			return
		}
		key := "/ovs/" + segment
		tree = holding(t, map[string]string{key: `{"p": 1, ` + string(name) + `: {"deep": true}}`})
		pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(field)
		addresses := []string{key + "|[" + string(name) + "].deep"}
		if !strings.Contains(pointer+segment, "|") && !strings.Contains(segment, "#/") {
			addresses = append(addresses, key+"#/"+pointer+"/deep")
		}
		for _, arg := range addresses {
			a, err := ParseAddress(arg, "/ovs", "/mnt")
			if err != nil {
				t.Fatalf("%q: %v", arg, err)
			}
			path, err := a.In(tree)
			if err != nil {
				t.Fatalf("%q: %v", arg, err)
			}
			n, ok := tree.Lookup(path)
			if !ok || n.Key() != key || n.Type() != Boolean {
				t.Fatalf("%q leads to %q: %v, key %q", arg, path, ok, n.Key())
			}
			var decoded string
			if json.Unmarshal(name, &decoded) != nil || !strings.HasSuffix(n.Pointer(), "/deep") {
				t.Fatalf("%q leads to the pointer %q", arg, n.Pointer())
			}
		}
	})
}
