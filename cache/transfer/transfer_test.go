package transfer

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestParse(t *testing.T) {
	pairs, err := Parse([]byte(`{
 "/ovs/a": "{\"port\": 1}",
 "/ovs/b": {"base64": "/wA="},
 "base64:L292cy//": ""
}`), "/ovs")
	if err != nil {
		t.Fatal(err)
	}
	want := []Pair{
		{Key: "/ovs/a", Value: []byte(`{"port": 1}`), Line: 2}, {Key: "/ovs/b", Value: []byte("\xff\x00"), Line: 3}, {Key: "/ovs/\xff", Value: []byte{}, Line: 4},
	}
	if len(pairs) != len(want) {
		t.Fatalf("got %+v", pairs)
	}
	for i, p := range pairs {
		if p.Key != want[i].Key || string(p.Value) != string(want[i].Value) || p.Line != want[i].Line {
			t.Errorf("got %+v, want %+v", p, want[i])
		}
	}
}

// What a person who made a mistake in a file reads, always with the line.
func TestParseRefusesInWords(t *testing.T) {
	for name, test := range map[string]struct{ file, words string }{
		"byte order mark":   {"\ufeff{\"/ovs/a\": \"1\"}", "line 1: it begins with a byte order mark"},
		"empty":             {"", "line 1: the file ends within the object"},
		"cut off":           {"{\n \"/ovs/a\": \"1\",\n", "line 3: the file ends within the object"},
		"an array":          {"\n[]", "line 2: the file must be one JSON object"},
		"a missing comma":   {"{\n \"/ovs/a\": \"1\"\n \"/ovs/b\": \"2\"\n}", "line 3: invalid character '\"'"},
		"a number":          {"{\n \"/ovs/a\": 1\n}", "line 2: the value of \"/ovs/a\" must be a string that holds the stored text"},
		"a document":        {"{\n \"/ovs/a\":\n {\"port\": 1}\n}", "line 3: the value of \"/ovs/a\" must be a string"},
		"twice":             {"{\n \"/ovs/a\": \"1\",\n \"/ovs/a\": \"2\"\n}", "line 3: key \"/ovs/a\" is on line 2 too"},
		"another prefix":    {"{\n \"/ovsx/a\": \"1\"\n}", "line 2: key \"/ovsx/a\" is not below /ovs"},
		"no slash":          {"{\"ovs\": \"1\"}", "line 1: key \"ovs\" is not below /ovs"},
		"bad base64":        {"{\"/ovs/a\": {\"base64\": \"?\"}}", "cannot be decoded"},
		"more than base64":  {"{\"/ovs/a\": {\"base64\": \"\", \"x\": 1}}", "must be a string"},
		"bytes":             {"{\n\"/ovs/a\": \"\xff\"}", "line 2: it is not UTF-8"},
		"half a surrogate":  {"{\"/ovs/a\": \"\\ud800\"}", "half a surrogate pair"},
		"a surrogate key":   {"{\"/ovs/\\udc00\": \"\"}", "half a surrogate pair"},
		"something behind":  {"{}\n{}", "line 2: there is something behind the object's end"},
		"garbage behind it": {"{}\n?", "line 2: there is something behind the object's end"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(test.file), "/ovs")
			if err == nil || !strings.Contains(err.Error(), test.words) || mapping.KindOf(err) != mapping.Invalid {
				t.Errorf("got %v\nwant ...%s...", err, test.words)
			}
		})
	}
}

func TestSampleTreeParses(t *testing.T) {
	data, err := os.ReadFile("../../contrib/sample-tree.json")
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := Parse(data, "/ovs")
	if err != nil || len(pairs) != 146 {
		t.Errorf("%d keys, %v; want 146", len(pairs), err)
	}
}

func TestPartsStayBelowTheLimits(t *testing.T) {
	puts := make([]mapping.Put, 3*partKeys)
	for i := range puts {
		puts[i] = mapping.Put{Key: "/ovs/k", Value: make([]byte, i%3*100)}
	}
	puts[7].Value = make([]byte, 2*partBytes) // alone, so that etcd can refuse it by name
	for len(puts) > 0 {
		some := firstPart(puts)
		size := 0
		for _, p := range some {
			size += len(p.Key) + len(p.Value)
		}
		if len(some) == 0 || len(some) > partKeys || size > partBytes && len(some) > 1 {
			t.Fatalf("a part of %d keys and %d bytes", len(some), size)
		}
		puts = puts[len(some):]
	}
}

// Every pair of byte strings survives the file format.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a", []byte("text\n"))
	f.Add("\xff", []byte("\xff\x00"))
	f.Add("a\u2028<&>\"\\", []byte("\ufffd \\ufffd"))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		key := "/p/" + name
		file := "{" + text(encodeKey(key)) + ": " + encodeValue(value) + "}"
		if !json.Valid([]byte(file)) {
			t.Fatalf("no JSON: %q", file)
		}
		pairs, err := Parse([]byte(file), "/p")
		if err != nil || len(pairs) != 1 || pairs[0].Key != key || string(pairs[0].Value) != string(value) {
			t.Fatalf("%q %q became %+v, %v", key, value, pairs, err)
		}
	})
}

// No file makes Parse panic, and what it accepts is below the prefix.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"/p/a": "x", "/p": {"base64": ""}}`))
	f.Add([]byte("{\"/p\": \"\\ud800\"}"))
	f.Add([]byte("{,"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pairs, err := Parse(data, "/p")
		for _, p := range pairs {
			if !below(p.Key, "/p") {
				t.Fatalf("%q is not below the prefix", p.Key)
			}
		}
		if err != nil && mapping.KindOf(err) != mapping.Invalid {
			t.Fatal(err)
		}
	})
}
