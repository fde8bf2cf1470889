package fs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// hostile are values whose copies have names and shapes that a directory of keys cannot hold.
func hostile() map[string]string {
	long := strings.Repeat("long-", 80)
	return map[string]string{
		"/ovs/src/slash":                 `{"n": 1, "a/b": 2, "/": "x", "list": [1, {"c/d": [true, null]}]}`,
		"/ovs/src/dirs":                  `{"o/p": {"x": 1, "q/r": {"deep/er": "a\nb"}, "e/": {}, "l/": [1, "2", [3], {"4/": 4}]}, "plain": {"y/z": "1"}}`,
		"/ovs/src/only":                  `{"a/b": {"c/d": 1}}`,
		"/ovs/src/dup":                   `{"a": 1, "a": 2, "b": {"c": 1, "c": 1, "c": 3}}`,
		"/ovs/src/long":                  `{"` + long + `": 1, "` + long + `/": {"` + long + `2": "x"}}`,
		"/ovs/src/dots":                  `{".": 1, "..": 2, ".hidden": 3, "...": 4, "": {"": ""}, "%": 5, "%2F": 6, "a~": 7, "x.tmp": {"y.bak": 8}}`,
		"/ovs/src/names":                 `{"\u0000": 1, "\n": 2, " ": 3, "é": 4, "-rf": 5, "*": 6, "\"": 7, "\\": 8}`,
		"/ovs/src/deep":                  strings.Repeat(`{"a":`, 60) + `{"x/y":[]}` + strings.Repeat("}", 60),
		"/ovs/src/keys/" + long:          "7",
		"/ovs/src/" + long + "/a":        "raw\ntext",
		"/ovs/src/" + long + "/b/c":      `{"x/y": 1}`,
		"/ovs/src/" + long + "/" + long:  `"s"`,
		"/ovs/src/" + long + "/doc":      "{ \"z\":1 ,\"" + long + "\": 2}",
		"/ovs/src//empty//x":             "1",
		"/ovs/src/dot/./x":               "2",
		"/ovs/src/dot/../x":              "no newline\nat its end",
		"/ovs/src/pct/%41":               "4",
		"/ovs/src/bad/\xff":              "5",
		"/ovs/src/crlf":                  "{\r\n  \"a/b\": 1,\r\n  \"b\": 2\r\n}\r\n",
		"/ovs/src/big":                   `{"a/b": "` + strings.Repeat("x", 100_000) + `"}`,
		"/ovs/src/empty object":          `{}`,
		"/ovs/src/empty array":           ` [ ] `,
		"/ovs/src/numbers":               `[1.0, 1e3, 100000000000000000000, -0]`,
		"/ovs/src/deeper/and/deeper/doc": `{"a/b": {"c": {"d/e": 1}}}`,
	}
}

// copies are the ways to copy src, to a directory that the script is given as $to.
var copies = []struct{ name, script string }{
	{"cp -a", `cp -a src "$to"`},
	{"rsync -aX", `rsync -aX src/ "$to/"`},
	{"tar --xattrs", `mkdir "$to"; tar c --xattrs --xattrs-include='user.*' -C src . | tar x --xattrs --xattrs-include='user.*' -C "$to"`},
	{"cp -a by way of a disk", `cp -a src $TMPDIR/x; cp -a $TMPDIR/x "$to"`},
}

// TestRoundTrips copies trees to another prefix and to another mount: every value is the same, byte for byte.
func TestRoundTrips(t *testing.T) {
	trees := map[string]map[string]string{"hostile": hostile(), "sample": sampleCopy(t), "random": randomDocuments(1)}
	for name, values := range trees {
		for _, c := range copies {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				m := mountTree(t, values)
				elsewhere := []*mountedTest{mountTree(t, map[string]string{"/ovs/there": "1"})}
				if name != "sample" {
					elsewhere = append(elsewhere, m)
				}
				for _, to := range elsewhere {
					out := m.sh("bash", fmt.Sprintf("set -eo pipefail; to=%s; %s", to.path("dst"), c.script), 0)
					if out != "" {
						t.Errorf("it complains: %s", out)
					}
					to.quiet()
					to.wantCopy(values)
				}
			})
		}
	}
}

// wantCopy fails unless /ovs/dst holds what values have in /ovs/src, and nothing is left waiting.
func (m *mountedTest) wantCopy(values map[string]string) {
	m.t.Helper()
	want := map[string]string{}
	for key, value := range values {
		want[strings.Replace(key, "/src", "/dst", 1)] = value
	}
	for kv := range m.store.Tree().Under("/ovs/dst") {
		value, ok := want[kv.Key]
		if !ok {
			m.t.Errorf("%.60q is too much: %.80q", kv.Key, kv.Value)
		} else if value != string(kv.Value) {
			m.t.Errorf("%.60q is %.200q, want %.200q", kv.Key, kv.Value, value)
		}
		delete(want, kv.Key)
	}
	for key := range want {
		m.t.Errorf("%.60q is missing", key)
	}
	for _, dir := range m.s.layer.files.Below("") {
		for _, entry := range m.s.layer.files.List(dir) {
			if n, ok := m.store.Tree().Lookup(join(dir, entry.Name)); !ok || !n.IsDir() {
				m.t.Errorf("%q is left on the mount, in %.80q", entry.Name, dir)
			}
		}
	}
}

// sampleCopy is the sample tree, below /ovs/src.
func sampleCopy(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../contrib/sample-tree.json")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]string
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for key, value := range tree {
		values[strings.Replace(key, "/ovs/", "/ovs/src/", 1)] = value
	}
	return values
}

// randomDocuments are documents with names of all kinds, nested at random.
func randomDocuments(seed uint64) map[string]string {
	r := rand.New(rand.NewPCG(seed, 0))
	names := []string{"a", "b", "a/b", "/", "c/", "", ".", "..", ".x", "%", "%2F", "x~", "é", "0", "1", "d%json", "e%dup1", strings.Repeat("n", 300), strings.Repeat("/", 100)}
	scalars := []string{"1", "-1.50", "true", "null", `""`, `"x"`, `"1"`, `"true"`, `"a\nb"`, `"\u00e9"`, `" x "`, `"a\n"`}
	var value func(depth int) string
	value = func(depth int) string {
		members := r.IntN(6)
		switch kind := r.IntN(4); {
		case depth > 0 && (depth == 4 || kind == 0):
			seen := map[string]bool{}
			var list []string
			for range members {
				name := names[r.IntN(len(names))]
				if !seen[name] || r.IntN(4) == 0 {
					quoted, _ := json.Marshal(name)
					list = append(list, string(quoted)+":"+strings.Repeat(" ", r.IntN(2))+value(depth-1))
				}
				seen[name] = true
			}
			return "{" + strings.Join(list, ", ") + "}"
		case depth > 0 && kind == 1:
			var list []string
			for range members {
				list = append(list, value(depth-1))
			}
			return "[" + strings.Join(list, ",") + "]"
		}
		return scalars[r.IntN(len(scalars))]
	}
	values := map[string]string{}
	for i := range 16 {
		values[fmt.Sprintf("/ovs/src/d%d/doc", i%4)+fmt.Sprint(i)] = value(4)
	}
	return values
}
