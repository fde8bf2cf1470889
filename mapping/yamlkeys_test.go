package mapping

import (
	"bytes"
	"strings"
	"testing"
)

func plainKey(s string) string            { return s }
func plainKeyOf(s string) (string, error) { return s, nil }

func TestYAMLKeysReadBack(t *testing.T) {
	stored := map[string]string{
		"/ovs":        `"of the prefix"`,
		"/ovs/a":      `{"port": 1, "list": [1.0, 2e3, "5", true, null], "empty": {}, "none": []}`,
		"/ovs/number": `12345678901234567890123`,
		"/ovs/text":   `"one"`,
		"/ovs/yes":    `"yes"`,
		"/ovs/lines":  `"a\nb\n"`,
		"/ovs/x.ini":  "[global]\nport = 1\n",
		"/ovs/y.raw":  `{"looks": "like JSON"}`,
		"/ovs/cr":     "a\r\nb \n\n",
		"/ovs/tabs":   "\tx\n\ty",
		"/ovs/empty":  "",
		"/ovs/bytes":  "\xff\x00\n",
		"/ovs/half":   `{"s": "\ud800"}`,
		"/ovs/twice":  `{"a": 1, "a": 2}`,
		"/ovs/pair":   `"\ud83d\ude00"`,
		"/ovs/nul":    `"\u0000"`,
		"/ovs/broken": "{\"s\": \"\xff\"}",
		"/ovs/~":      "null",
	}
	tree := holding(t, stored)
	var out bytes.Buffer
	if err := WriteYAMLKeys(&out, tree, plainKey); err != nil {
		t.Fatal(err)
	}
	list, err := ReadYAMLKeys(out.Bytes(), plainKeyOf)
	if err != nil || len(list) != len(stored) {
		t.Fatalf("%d of %d, %v:\n%s", len(list), len(stored), err, out.String())
	}
	for _, v := range list {
		was := stored[v.Key]
		switch {
		case !v.Meaning && string(v.Bytes) != was:
			t.Errorf("%s: %q, was %q", v.Key, v.Bytes, was)
		case v.Meaning && !parseJSON(v.Bytes).equal(parseJSON([]byte(was))):
			t.Errorf("%s: %s, was %s", v.Key, v.Bytes, was)
		}
		if !strings.HasPrefix(strings.Split(out.String(), "\n")[v.Line-1], v.Key) {
			t.Errorf("%s is not on line %d", v.Key, v.Line)
		}
	}
	var values []Value
	for _, v := range list {
		values = append(values, v.Value)
	}
	if plan, err := PutKeys(values, true)(tree); err != nil || !plan.Empty() {
		t.Errorf("what was read back changes %d keys (%v)", len(plan.Puts), err)
	}
	exact := map[string]string{"/ovs/twice": "!json", "/ovs/half": "!json", "/ovs/y.raw": "!raw", "/ovs/bytes": "!!binary"}
	for key, tag := range exact {
		if !strings.Contains(out.String(), key+": "+tag) {
			t.Errorf("%s is not %s:\n%s", key, tag, out.String())
		}
	}
}

func TestYAMLKeysRefuseInWords(t *testing.T) {
	for text, words := range map[string]string{
		"":                             "line 1: the file is empty",
		"- a\n":                        "line 1: the file must be a mapping",
		"/ovs/a: 1\n/ovs/b: !json '{'": "line 2: the value of /ovs/b: the text after !json is not JSON",
		"/ovs/a: !!binary '?'":         "not base64",
		"/ovs/a: .inf":                 "JSON has no such number",
		"/ovs/a: {b: 1, b: 2}":         "",
		"/ovs/a: 1\n---\n/ovs/b: 2\n":  "second document",
		"/ovs/a: 1\n  bad: - indent\n": "line 2",
		"1: 2":                         "line 1: a key must be a string",
		"/ovs/a: 1\n/ovs/b:\n  <<: {}": "merge",
	} {
		_, err := ReadYAMLKeys([]byte(text), plainKeyOf)
		if KindOf(err) != Invalid || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v, want ...%s...", text, err, words)
		}
	}
}

func TestPutKeys(t *testing.T) {
	tree := holding(t, map[string]string{
		"/ovs/doc": `{"b":1,  "a": 2}`, "/ovs/same": "1", "/ovs/gone": "2", "/ovs/x.ini": "raw", "/ovs": "3",
	})
	values := []Value{
		{Key: "/ovs/doc", Bytes: []byte(`{"a": 2, "b": 5}`), Meaning: true},
		{Key: "/ovs/same", Bytes: []byte("1")},
		{Key: "/ovs/x.ini", Bytes: []byte(`"a\nb"`), Meaning: true},
		{Key: "/ovs/new", Bytes: []byte("4")},
	}
	plan, err := PutKeys(values, true)(tree)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := tree.With(&plan, tree.Root().Seen())
	want := map[string]string{"/ovs/doc": `{"b":5,  "a": 2}`, "/ovs/same": "1", "/ovs/x.ini": "a\nb", "/ovs/new": "4"}
	for key, value := range want {
		if kv, _ := after.Get(key); string(kv.Value) != value {
			t.Errorf("%s is %q, want %q", key, kv.Value, value)
		}
	}
	if after.Keys() != len(want) || len(plan.Puts) != 3 || len(plan.Deletes) != 2 {
		t.Errorf("%d keys, %d puts, %d deletes", after.Keys(), len(plan.Puts), len(plan.Deletes))
	}
	if _, err := PutKeys([]Value{{Key: "/ovs/x.ini", Bytes: []byte("1"), Meaning: true}}, false)(tree); KindOf(err) != Invalid {
		t.Errorf("a number for what is raw: %v", err)
	}
}
