package mapping

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRead reads any value and holds what is shown against encoding/json: what
// that calls JSON is a leaf or a document whose every field is found with the
// same meaning, and everything else is its bytes.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", " ", "5", "-0", "1e400", "01", "1.", "true", "nul", `"x"`, `"\ud83d\ude00"`, `"\ud800x"`, `"\ud800\u0041"`, `"\udfff\ud800\udc00"`, `"a` + "\n" + `"`,
		`{}`, `[]`, ` [ ] `, `[1,]`, `{"a":1,}`, `{"a":{"b":[1,2,{"c":null}]},"d":"x/y"}`, `{"a":1,"a":2,"a":3}`, `{"":{"":""}}`,
		`{"\u0061":1,"a":[],"a%json":2,".":3,"..":4,"/":5}`, "[\xff,\"\xff\"]", "\"\xff\"", "[global]\nx = y\n", "\ufeff{}", "[[[[1],2],3],4]",
		strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat(`{"a":`, 201) + "1" + strings.Repeat("}", 201), `{"a":"\\\"","b\\\"":"]}"}`,
		"{\"a\"\r\n:\t1 ,\"b\":[ ] }\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree := treeOf(t, "/ovs/v", string(data))
		checkTree(t, tree)
		n, _ := tree.Lookup("v")
		if !json.Valid(data) || depth(data) > 200 {
			want := data
			if utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 && len(data) > 0 && data[len(data)-1] != '\n' {
				want = append(bytes.Clone(data), '\n')
			}
			if n.Type() != Raw || !bytes.Equal(n.Content(), want) {
				t.Fatalf("%q is shown as %s %q", data, n.Type(), n.Content())
			}
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		compareNode(t, decoder, n)
	})
}

// compareNode walks a decoder's tokens and the node's children side by side.
func compareNode(t *testing.T, decoder *json.Decoder, n Node) {
	t.Helper()
	token, err := decoder.Token()
	if err != nil {
		t.Fatal(err)
	}
	want, content := Type(""), ""
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			compareObject(t, decoder, n)
		} else {
			compareArray(t, decoder, n)
		}
		return
	case json.Number:
		want, content = Number, token.String()
	case string:
		want, content = String, token
	case bool:
		want, content = Boolean, strconv.FormatBool(token)
	case nil:
		want, content = Null, "null"
	}
	got := string(n.Content())
	if content != "" {
		content += "\n"
	}
	if want == String && !utf8.ValidString(got) {
		// encoding/json puts U+FFFD in the place of what is no UTF-8; here it stays what it is.
		got = string([]rune(got))
	}
	if n.Type() != want || got != content {
		t.Fatalf("%s is shown as %s %q, want %s %q", n.Stored(), n.Type(), got, want, content)
	}
}

func compareObject(t *testing.T, decoder *json.Decoder, n Node) {
	t.Helper()
	if n.Type() != Object || !n.IsDir() {
		t.Fatalf("an object is shown as %s", n.Type())
	}
	var children []Node
	for child := range n.Children() {
		children = append(children, child)
	}
	slices.SortFunc(children, func(a, b Node) int { return cmp.Compare(a.at, b.at) }) // the document's order
	last := map[string]Node{}
	for i := 0; decoder.More(); i++ {
		token, err := decoder.Token()
		if err != nil || i >= len(children) {
			t.Fatalf("field %d of %d: %v, %v", i, len(children), token, err)
		}
		child := children[i]
		pointer := child.Pointer()
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(pointer[strings.LastIndexByte(pointer, '/')+1:])
		if got := string([]rune(name)); got != token.(string) {
			t.Fatalf("field %d is %q, want %q", i, got, token)
		}
		if child.Index() != -1 {
			t.Fatalf("field %q has index %d", name, child.Index())
		}
		last[name] = child
		compareNode(t, decoder, child)
	}
	for name, child := range last {
		if got, ok := n.Lookup(EncodeName(name)); !ok || got != child {
			t.Fatalf("the last field %q is not found by its name", name)
		}
	}
	_, _ = decoder.Token()
}

func compareArray(t *testing.T, decoder *json.Decoder, n Node) {
	t.Helper()
	if n.Type() != Array || !n.IsDir() {
		t.Fatalf("an array is shown as %s", n.Type())
	}
	i := 0
	for ; decoder.More(); i++ {
		child, ok := n.Lookup(strconv.Itoa(i))
		if !ok || child.Index() != i {
			t.Fatalf("element %d is not found", i)
		}
		compareNode(t, decoder, child)
	}
	_, _ = decoder.Token()
	for child := range n.Children() {
		if i--; child.Index() != i {
			t.Fatalf("the listing has element %d in the place of %d", child.Index(), i)
		}
	}
}

// depth is how deep the containers of valid JSON nest.
func depth(data []byte) int {
	decoder := json.NewDecoder(bytes.NewReader(data))
	now, most := 0, 0
	for {
		token, err := decoder.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			now++
			most = max(most, now)
		case json.Delim('}'), json.Delim(']'):
			now--
		}
	}
}

func TestExactAddsNoNewline(t *testing.T) {
	tree, err := NewTree(Settings{Prefix: "/ovs", Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	tree = put(tree, 1, "/ovs/a", "text", "/ovs/d", `{"s": "x", "n": 5}`)
	for path, want := range map[string]string{"a": "text", "d/s": "x", "d/n": "5"} {
		n, _ := tree.Lookup(path)
		if string(n.Content()) != want || n.Newline() || n.Size() != int64(len(want)) {
			t.Errorf("%s shows %q, newline %v, size %d; want %q", path, n.Content(), n.Newline(), n.Size(), want)
		}
	}
}

func TestDeepAndLargeDocuments(t *testing.T) {
	deep := strings.Repeat(`{"a":[`, 100) + `"x"` + strings.Repeat(`]}`, 100)
	large := `{"s":"` + strings.Repeat(`é\n`, 1<<18) + `"}`
	tree := treeOf(t, "/ovs/deep", deep, "/ovs/large", large, "/ovs/hostile", strings.Repeat("[", 1<<20))
	checkTree(t, tree)
	n, ok := tree.Lookup("deep" + strings.Repeat("/a/0", 100))
	if !ok || string(n.Content()) != "x\n" || n.Pointer() != strings.Repeat("/a/0", 100) {
		t.Errorf("the bottom of 200 levels is %v %q at %q", ok, n.Content(), n.Pointer())
	}
	n, _ = tree.Lookup("large/s")
	if want := strings.Repeat("é\n", 1<<18) + "\n"; string(n.Content()) != want {
		t.Error("a string of a mebibyte reads back differently")
	}
	if n, _ = tree.Lookup("hostile"); n.Type() != Raw {
		t.Errorf("a mebibyte of brackets is %s", n.Type())
	}
}

func TestPointer(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"a/b": {"~": [0, {"": 1}]}}`, "/ovs/k/x", "1")
	for path, want := range map[string]string{"d": "", "d/a%2Fb/~/1/%empty": "/a~1b/~0/1/", "k": "", "k/x": "", "": ""} {
		if n, ok := tree.Lookup(path); !ok || n.Pointer() != want {
			t.Errorf("pointer of %q is %q, %v; want %q", path, n.Pointer(), ok, want)
		}
	}
	for path, want := range map[string]string{"": "/ovs", "k": "/ovs/k", "k/x": "/ovs/k/x", "d/a%2Fb": "/ovs/d"} {
		if n, _ := tree.Lookup(path); n.Key() != want {
			t.Errorf("key of %q is %q, want %q", path, n.Key(), want)
		}
	}
}

func TestStringsDecode(t *testing.T) {
	tests := []struct{ stored, want string }{
		{`"\b\f\n\r\t\"\\\/"`, "\b\f\n\r\t\"\\/"},
		{`"\u00e9\u00E9\uFB01\u0000"`, "ééﬁ\x00"},
		{`"\ud83d\ude00\uD83D\uDE00"`, "😀😀"},
		{`"\ud83d"`, "\ufffd"},
		{`"\ude00\ud83d\ude00"`, "\ufffd😀"},
		{`"\ud83d\u0041\ud83d\n"`, "\ufffdA\ufffd\n"},
		{"\"\xff\\n\xfe\"", "\xff\n\xfe"},
	}
	for _, test := range tests {
		tree := treeOf(t, "/ovs/s", test.stored, "/ovs/d", `{`+test.stored+`: `+test.stored+`}`)
		checkTree(t, tree)
		for _, path := range []string{"s", "d/" + EncodeName(test.want)} {
			n, ok := tree.Lookup(path)
			if !ok || string(n.Content()) != test.want+"\n" {
				t.Errorf("%s at %q is shown as %v %q, want %q", test.stored, path, ok, n.Content(), test.want)
			}
		}
	}
}

func TestBracketsInStringsAreNoDepth(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `["`+strings.Repeat(`[{\"`, 500)+`"]`)
	if n, _ := tree.Lookup("d"); n.Type() != Array {
		t.Errorf("a string of brackets in an array is %s", n.Type())
	}
}
