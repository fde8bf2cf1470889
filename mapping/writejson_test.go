package mapping

import "testing"

func TestAddressWrite(t *testing.T) {
	for _, c := range []struct {
		name, stored, address, content string
		json                           bool
		o                              WriteOptions
		want                           string // the value of /ovs/k, "" for nothing
		kind                           Kind
	}{
		{name: "a leaf", stored: `{"a": 1}`, address: "/ovs/k|a", content: "2\n", want: `{"a": 2}`},
		{name: "a leaf of a wrong type", stored: `{"a": 1}`, address: "/ovs/k|a", content: "x", kind: Invalid},
		{name: "objects on the way", stored: `{"z": 1}`, address: `/ovs/k|a["b.c"].d`, content: "5", want: `{"z": 1, "a": {"b.c": {"d": 5}}}`},
		{name: "the document too", address: "/ovs/k|a.b", content: "text", want: `{"a": {"b": "text"}}`},
		{name: "only what is there", address: "/ovs/k|a.b", content: "text", o: WriteOptions{MustExist: true}, kind: NotFound},
		{name: "a pointer", address: "/ovs/k#/a~1b", content: "1", want: `{"a/b": 1}`},
		{name: "below a scalar", stored: `{"a": 1}`, address: "/ovs/k|a.b", content: "1", kind: NotDirectory},
		{name: "JSON text keeps its spelling", stored: `{"a": "x"}`, address: "/ovs/k|a", content: `"\ud800\u0041"`, json: true, want: `{"a": "\ud800\u0041"}`},
		{name: "JSON text of another type", stored: `{"a": 1}`, address: "/ovs/k|a", content: `"1"`, json: true, kind: Invalid},
		{name: "JSON text of a type that is asked for", stored: `{"a": 1}`, address: "/ovs/k|a", content: `"1"`, json: true, o: WriteOptions{Type: String}, want: `{"a": "1"}`},
		{name: "JSON text for null", stored: `{"a": null}`, address: "/ovs/k|a", content: `[1]`, json: true, want: `{"a": [1]}`},
		{name: "a whole document", stored: "{\"a\": 1}\n", address: "/ovs/k", content: `{"b":2}`, json: true, want: "{\"b\":2}\n"},
		{name: "no JSON", stored: `{"a": 1}`, address: "/ovs/k", content: `{"b":`, json: true, kind: Invalid},
		{name: "raw", stored: "a\nb", address: "/ovs/k", content: `1`, json: true, kind: Invalid},
		{name: "a type", address: "/ovs/k", content: "5", o: WriteOptions{Type: String}, want: `"5"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys := map[string]string{}
			if c.stored != "" {
				keys["/ovs/k"] = c.stored
			}
			tree := holding(t, keys)
			a, err := ParseAddress(c.address, "/ovs", "")
			if err != nil {
				t.Fatal(err)
			}
			plan, err := a.Write([]byte(c.content), c.json, c.o)(tree)
			if c.want == "" {
				if KindOf(err) != c.kind || err == nil {
					t.Fatalf("%v, want %v", err, c.kind)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			after, _ := tree.With(&plan, tree.Root().Seen())
			if kv, _ := after.Get("/ovs/k"); string(kv.Value) != c.want {
				t.Errorf("%s, want %s", kv.Value, c.want)
			}
		})
	}
}

func TestAddressKeys(t *testing.T) {
	for _, c := range []struct {
		arg   string
		want  []string
		names string
	}{
		{"/ovs", []string{"/ovs"}, ""},
		{"/ovs/a/b", []string{"/ovs", "/ovs/a", "/ovs/a/b"}, ""},
		{"/ovs/a|b.c", []string{"/ovs", "/ovs/a", "/ovs/a/b"}, ""},
		{"/mnt/a%2Fb/c%json", []string{"/ovs", "/ovs/a/b", "/ovs/a/b/c"}, ""},
		{"/mnt/a/long%~0123/b", []string{"/ovs", "/ovs/a"}, "/ovs/a"},
	} {
		a, err := ParseAddress(c.arg, "/ovs", "/mnt")
		if err != nil {
			t.Fatal(err)
		}
		keys, names := a.Keys("/ovs")
		if len(keys) != len(c.want) || names != c.names {
			t.Errorf("%s: %q and %q", c.arg, keys, names)
			continue
		}
		for i := range keys {
			if keys[i] != c.want[i] {
				t.Errorf("%s: %q, want %q", c.arg, keys, c.want)
			}
		}
	}
}

func TestHalfSurrogate(t *testing.T) {
	for text, want := range map[string]bool{
		`"\ud800"`: true, `{"a": "x\udc00"}`: true, `"\ud83d\ude00"`: false, `"\ufffd\uFFFD"`: false, `"\\ud800"`: false,
		`"\n\ud800\u0041"`: true, `"plain"`: false, "\"\uFFFD\"": false, `["\\\ud83d"]`: true,
	} {
		tree := holding(t, map[string]string{"/ovs/k": text})
		n, _ := tree.Lookup("k")
		if HalfSurrogate(n) != want || HalfSurrogate(tree.Root()) != want {
			t.Errorf("%s: not %v", text, want)
		}
	}
}
