package mapping

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// holding is the tree of a map.
func holding(t testing.TB, values map[string]string) *Tree {
	t.Helper()
	var pairs []string
	for key, value := range values {
		pairs = append(pairs, key, value)
	}
	return treeOf(t, pairs...)
}

func differences(old, now *Tree, path string) []string {
	var lines []string
	for d := range Diff(old, now, path) {
		lines = append(lines, d.String())
	}
	return lines
}

func TestDiffSaysWhatChanged(t *testing.T) {
	old := holding(t, map[string]string{
		"/ovs/doc":    `{"port": 1, "same": "\u0041", "gone": null, "list": [1, 2, 3], "o": {}, "password": "old"}`,
		"/ovs/raw":    "a\nb",
		"/ovs/leaf":   `"5"`,
		"/ovs/both":   "5",
		"/ovs/keys/a": "1",
		"/ovs/url":    `"http://u:old@h/"`,
		"/ovs/bin":    "\xff",
		"/ovs/long":   `"` + strings.Repeat("x", 300) + `"`,
	})
	now := holding(t, map[string]string{
		"/ovs/doc":    `{ "same":"A","port":2, "list": [1, 9], "o": [], "password": "new", "new": {"deep": [[]]}}`,
		"/ovs/raw":    "a\nc",
		"/ovs/leaf":   `5`,
		"/ovs/both":   "5",
		"/ovs/both/k": "6",
		"/ovs/keys":   `{"a": 1}`,
		"/ovs/url":    `"http://u:new@h/"`,
		"/ovs/bin":    "\xfe",
		"/ovs/long":   "1",
		"/ovs/x\ny":   "1",
	})
	want := []string{
		`~ bin: {"base64": "/w=="} -> {"base64": "/g=="}`,
		`- both: 5`,
		`+ both/.value: 5`,
		`+ both/k: 6`,
		`~ doc/port: 1 -> 2`,
		`- doc/gone: null`,
		`~ doc/list/1: 2 -> 9`,
		`- doc/list/2: 3`,
		`~ doc/o: object -> array`,
		`~ doc/password: "(secret)" -> "(secret)"`,
		`+ doc/new/deep/0: []`,
		`~ keys: directory -> object`,
		`~ leaf: "5" (string) -> 5 (number)`,
		`~ long: "` + strings.Repeat("x", 199) + `... (301 bytes) (string) -> 1 (number)`,
		`~ raw: "a\nb" -> "a\nc"`,
		`~ url: "(secret)" -> "(secret)"`,
		`+ "x\ny": 1`,
	}
	if got := differences(old, now, ""); !slices.Equal(got, want) {
		t.Errorf("the difference is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := differences(old, now, "doc/list"); !slices.Equal(got, want[6:8]) {
		t.Errorf("below a path the difference is %q", got)
	}
	if got := differences(now, now, ""); got != nil {
		t.Errorf("a tree differs from itself: %q", got)
	}
	if got := differences(old, now, "none"); got != nil {
		t.Errorf("nothing differs from nothing: %q", got)
	}
}

func TestDifferenceAsJSON(t *testing.T) {
	old := holding(t, map[string]string{"/ovs/doc": `{"a/b": 1.50, "token": "t"}`})
	now := holding(t, map[string]string{"/ovs/doc": `{"a/b": "x", "token": "u"}`, "/ovs/new": "r\n\xff"})
	var lines []string
	for d := range Diff(old, now, "") {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	want := []string{
		`{"op":"modify","path":"doc/a%2Fb","key":"/ovs/doc","pointer":"/a~1b","old":1.50,"new":"x","old_type":"number","new_type":"string"}`,
		`{"op":"modify","path":"doc/token","key":"/ovs/doc","pointer":"/token","old":"(secret)","new":"(secret)"}`,
		`{"op":"create","path":"new","key":"/ovs/new","new":{"base64":"cgr/"}}`,
	}
	if !slices.Equal(lines, want) {
		t.Errorf("lines\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestSecretAt(t *testing.T) {
	tree := holding(t, map[string]string{
		"/ovs/passwords":  `[["a"], "b"]`,
		"/ovs/db":         `{"password": "x", "port": 1}`,
		"/ovs/secret":     "1",
		"/ovs/secret/key": "2",
	})
	for path, want := range map[string]bool{
		"passwords/0/0": true, "passwords/1": true, "passwords": false, "db/password": true, "db/port": false, "secret/.value": true, "secret/key": false,
	} {
		n, ok := tree.Lookup(path)
		if got := SecretAt(path, n); !ok || got != want {
			t.Errorf("%s is a secret: %v, want %v", path, got, want)
		}
	}
}
