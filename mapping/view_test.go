package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func view(path string, f Format, content string) Edit { return WriteView(path, f, []byte(content)) }

func rendered(t testing.TB, tree *Tree, path string, f Format) string {
	t.Helper()
	n, _ := tree.Lookup(path)
	text, err := Render(n, f)
	if err != nil {
		t.Fatalf("%s has no view: %v", path, err)
	}
	return string(text)
}

func TestViewOf(t *testing.T) {
	for name, want := range map[string]string{
		"config.json": "config 1 true", "a.json.yaml": "a.json 2 true", "l.lines": "l 3 true",
		".json": " 0 false", "json": " 0 false", "x.JSON": " 0 false", "x": " 0 false", "": " 0 false",
	} {
		target, f, ok := ViewOf(name)
		if got := fmt.Sprintf("%s %d %v", target, f, ok); got != want {
			t.Errorf("ViewOf(%q) = %s, want %s", name, got, want)
		}
	}
}

const sampleDoc = "{\n    \"port\": 8500, \"s\":\"1\\/2\", \"l\":[1.50,\"x\"],\n    \"o\": {}\n}"

func TestRenderedViews(t *testing.T) {
	tree := treeOf(t, "/ovs/c/doc", sampleDoc, "/ovs/c/r", "[g]\na = 1\n", "/ovs/c/d/n", "5", "/ovs/c/d/s", `"5"`,
		"/ovs/c/d", "true", "/ovs/c/%25", "1e400", "/ovs/l", `["a", 1, true, null, "1", ""]`, "/ovs/nl", "[1]\n", "/ovs/e", "[]",
		"/ovs/m", `{"k": 1, "f": 2}`, "/ovs/m/k", "3")
	for _, c := range []struct {
		path string
		f    Format
		want string
	}{
		{"c/doc", JSON, sampleDoc + "\n"},
		{"c/doc/l", JSON, "[1.50,\"x\"]\n"},
		{"nl", JSON, "[1]\n"},
		{"c/doc", YAML, "port: 8500\ns: 1/2\nl:\n  - 1.50\n  - x\no: {}\n"},
		{"c", JSON, `{
  "%25": 1e400,
  "d": {
    ".value": true,
    "n": 5,
    "s": "5"
  },
  "doc": {
    "port": 8500,
    "s": "1\/2",
    "l": [
      1.50,
      "x"
    ],
    "o": {}
  },
  "r": "[g]\na = 1\n"
}
`},
		{"c/d", YAML, ".value: true\nn: 5\ns: \"5\"\n"},
		{"m", JSON, "{\n  \"k%json\": 1,\n  \"f\": 2,\n  \"k\": 3\n}\n"},
		{"l", Lines, "a\n1\ntrue\nnull\n1\n\n"},
		{"e", Lines, ""},
		{"l", YAML, "- a\n- 1\n- true\n- null\n- \"1\"\n- \"\"\n"},
	} {
		t.Run(fmt.Sprintf("%s %d", c.path, c.f), func(t *testing.T) {
			if got := rendered(t, tree, c.path, c.f); got != c.want {
				t.Errorf("reads\n%s, want\n%s", got, c.want)
			}
			if _, plan := commit(t, tree, view(c.path, c.f, c.want)); !plan.Empty() {
				t.Errorf("writing what is shown plans %+v", plan)
			}
		})
	}
	for _, path := range []string{"c", "c/doc", "m"} {
		n, _ := tree.Lookup(path)
		if _, err := Render(n, Lines); KindOf(err) != NotFound {
			t.Errorf("%s has lines: %v", path, err)
		}
	}
	n, _ := tree.Lookup("c/r")
	if _, err := Render(n, JSON); KindOf(err) != NotDirectory {
		t.Errorf("a file has a view: %v", err)
	}
}

func TestADocumentWrittenAsJSONIsStoredAsGiven(t *testing.T) {
	for _, c := range []struct{ stored, content, want string }{
		{sampleDoc, "{\"b\":  1}\n", "{\"b\":  1}"},
		{sampleDoc, "{\"b\":  1}", "{\"b\":  1}"},
		{sampleDoc, "[1,2]\n", "[1,2]"},
		{sampleDoc + "\n", "{}\n", "{}\n"},
		{sampleDoc, "{}\n\n", "{}\n"},
	} {
		tree, _ := commit(t, treeOf(t, "/ovs/d", c.stored), view("d", JSON, c.content))
		sameStored(t, tree, "d="+c.want)
	}
	tree, _ := commit(t, treeOf(t, "/ovs/d", sampleDoc), view("d/l", JSON, "[ 2 ]\n"))
	sameStored(t, tree, "d="+strings.Replace(sampleDoc, `[1.50,"x"]`, "[ 2 ]", 1))
}

func TestYAMLTouchesOnlyWhatDiffers(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"8500", "8501", strings.Replace(sampleDoc, "8500", "8501", 1)},
		{"s: 1/2", "s: \"12\"", strings.Replace(sampleDoc, `"1\/2"`, `"12"`, 1)},
		{"s: 1/2", "s: 12", strings.Replace(sampleDoc, `"1\/2"`, `12`, 1)},
		{"s: 1/2", "s: yes", strings.Replace(sampleDoc, `"1\/2"`, `"yes"`, 1)},
		{"s: 1/2", "s: 2016-01-08", strings.Replace(sampleDoc, `"1\/2"`, `"2016-01-08"`, 1)},
		{"s: 1/2", "s: 0x10", strings.Replace(sampleDoc, `"1\/2"`, `16`, 1)},
		{"s: 1/2", "s: |\n  a\n  b", strings.Replace(sampleDoc, `"1\/2"`, `"a\nb\n"`, 1)},
		{"s: 1/2", "s: ~", strings.Replace(sampleDoc, `"1\/2"`, `null`, 1)},
		{"s: 1/2\n", "", strings.Replace(sampleDoc, ` "s":"1\/2",`, ``, 1)},
		{"  - x\n", "", strings.Replace(sampleDoc, `1.50,"x"`, `1.50`, 1)},
		{"  - 1.50\n", "", strings.Replace(sampleDoc, `1.50,"x"`, `"x"`, 1)},
		{"  - 1.50\n", "  - 1.50\n  - 2\n", strings.Replace(sampleDoc, `1.50,"x"`, `1.50,2,"x"`, 1)},
		{"o: {}", "o: {q: 1}", strings.Replace(sampleDoc, `{}`, "{\n        \"q\": 1\n    }", 1)},
		{"o: {}\n", "o: {}\nq: 1 # comment\n", strings.Replace(sampleDoc, `{}`, "{}, \"q\": 1", 1)},
		{"port: 8500", "a: &x 8500\nport: *x", strings.Replace(sampleDoc, `{}`, "{}, \"a\": 8500", 1)},
	} {
		t.Run(c.to, func(t *testing.T) {
			tree := treeOf(t, "/ovs/d", sampleDoc)
			text := rendered(t, tree, "d", YAML)
			next, _ := commit(t, tree, view("d", YAML, strings.Replace(text, c.from, c.to, 1)))
			sameStored(t, next, "d="+c.want)
		})
	}
}

func TestAViewOfKeysTouchesOnlyKeysThatDiffer(t *testing.T) {
	keys := []string{"/ovs/c/doc", sampleDoc, "/ovs/c/r.ini", "[g]\na = 1\n", "/ovs/c/d/n", " 5\n", "/ovs/c/d/s", `"5"`, "/ovs/c/d", "true",
		"/ovs/c/t", "text", "/ovs/c/bin", "\xff"}
	for _, c := range []struct {
		name, from, to string
		want           []string // "key=value", "-key"
	}{
		{"a number", `"n": 5`, `"n": 6`, []string{"c/d/n= 6\n"}},
		{"a field of a document", `"port": 8500`, `"port": 1`, []string{"c/doc=" + strings.Replace(sampleDoc, "8500", "1", 1)}},
		{"a raw value", `a = 1\n`, `a = 2\n`, []string{"c/r.ini=[g]\na = 2\n"}},
		{"text", `"text"`, `"other"`, []string{"c/t=other"}},
		{"text to a number", `"text"`, `5`, []string{"c/t=5"}},
		{"the value of a directory", `".value": true`, `".value": false`, []string{"c/d=false"}},
		{"no value of a directory any more", "\n    \".value\": true,", "", []string{"-c/d"}},
		{"a key less", `"n": 5,`, ``, []string{"-c/d/n"}},
		{"a key more", `"n": 5,`, `"n": 5, "m": {"x": [1]}, "": "e",`, []string{"c/d/=\"e\"", "c/d/m={\n    \"x\": [\n        1\n    ]\n}"}},
		{"a key to a document", `"n": 5`, `"n": {"x": 1}`, []string{"c/d/n= {\"x\": 1}\n"}},
		{"a directory to a key", `"d": {`, `"d": 1, "q": {`, []string{"-c/d/n", "-c/d/s", "c/d=1", "c/q={\n    \".value\": true,\n    \"n\": 5,\n    \"s\": \"5\"\n}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := treeOf(t, keys...)
			text := rendered(t, tree, "c", JSON)
			if !strings.Contains(text, c.from) {
				t.Fatalf("%q is not in\n%s", c.from, text)
			}
			next, plan := commit(t, tree, view("c", JSON, strings.Replace(text, c.from, c.to, 1)))
			var got []string
			was, is := stored(tree), stored(next)
			for _, line := range is {
				if !slices.Contains(was, line) {
					got = append(got, line)
				}
			}
			for _, line := range was {
				key, _, _ := strings.Cut(line, "=")
				if _, ok := next.Get("/ovs/" + key); !ok {
					got = append(got, "-"+key)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("changed\n%q, want\n%q", got, c.want)
			}
			if len(plan.Puts) > len(c.want) {
				t.Errorf("the plan touches more: %+v", plan)
			}
		})
	}
}

func TestAViewOfADocumentWithKeysBelow(t *testing.T) {
	tree := treeOf(t, "/ovs/m", `{"k": 1, "a/b": 0, "a/b":2, "f": [1]}`, "/ovs/m/k", "3", "/ovs/m/x", "4", "/ovs/l", `[1,2]`, "/ovs/l/k", "3")
	const text = "{\n  \"a%2Fb%dup1\": 0,\n  \"k%json\": 1,\n  \"a/b\": 2,\n  \"f\": [\n    1\n  ],\n  \"k\": 3,\n  \"x\": 4\n}\n"
	if got := rendered(t, tree, "m", JSON); got != text {
		t.Fatalf("reads\n%s", got)
	}
	for _, c := range []struct {
		from, to string
		want     []string
	}{
		{`"f": [`, `"f": [0,`, []string{`m={"k": 1, "a/b": 0, "a/b":2, "f": [0, 1]}`, "m/k=3", "m/x=4"}},
		{`"k%json": 1`, `"k%json": 5`, []string{`m={"k": 5, "a/b": 0, "a/b":2, "f": [1]}`, "m/k=3", "m/x=4"}},
		{`"k": 3,`, `"k": 5,`, []string{`m={"k": 1, "a/b": 0, "a/b":2, "f": [1]}`, "m/k=5", "m/x=4"}},
		{`"a%2Fb%dup1": 0,`, ``, []string{`m={"k": 1, "a/b":2, "f": [1]}`, "m/k=3", "m/x=4"}},
		{`"x": 4`, `"y": 4`, []string{`m={"k": 1, "a/b": 0, "a/b":2, "f": [1], "y": 4}`, "m/k=3"}},
	} {
		next, _ := commit(t, tree, view("m", JSON, strings.Replace(text, c.from, c.to, 1)))
		sameStored(t, next, append([]string{"l=[1,2]", "l/k=3"}, c.want...)...)
	}
	next, _ := commit(t, tree, view("l", YAML, strings.Replace(rendered(t, tree, "l", YAML), `"0": 1`, `"0": 5`, 1)+"new: 6\n"))
	next, _ = commit(t, next, view("m", JSON, `{}`))
	sameStored(t, next, "l=[5,2]", "l/k=3", "l/new=6", "m={}")
}

func TestLines(t *testing.T) {
	for _, c := range []struct{ stored, content, want string }{
		{`{"l": ["a", "b"], "x": 1}`, "a\nb\n10.0.0.1:80\n", `{"l": ["a", "b", "10.0.0.1:80"], "x": 1}`},
		{`{"l": ["a", "b"]}`, "a\nb\n5\n", `{"l": ["a", "b", "5"]}`},
		{`{"l": ["a", "b", "c"]}`, "a\nc\n", `{"l": ["a", "c"]}`},
		{`{"l": ["a", "b", "c"]}`, "c\nb\na\n", `{"l": ["c", "b", "a"]}`},
		{`{"l": ["a", "b", "c"]}`, "", `{"l": []}`},
		{`{"l": ["a"]}`, "\n", `{"l": [""]}`},
		{`{"l": ["a"]}`, "a\nb", `{"l": ["a", "b"]}`},
		{`{"l": [1, 2.50]}`, "2.50\n3\n", `{"l": [2.50, 3]}`},
		{`{"l": []}`, "1\nx\n", `{"l": [1, "x"]}`},
		{`{"l": [1, "1"]}`, "1\n", `{"l": [1]}`},
		{`{"l": [1, "1"]}`, "0\n1\n1\n", `{"l": [0, 1, "1"]}`},
		{`{"l": [true]}`, "true\nfalse\n", `{"l": [true, false]}`},
		{"{\n  \"l\": [\n    \"a\",\n    \"b\"\n  ]\n}", "x\na\nb\n", "{\n  \"l\": [\n    \"x\",\n    \"a\",\n    \"b\"\n  ]\n}"},
	} {
		t.Run(c.stored+c.content, func(t *testing.T) {
			tree, _ := commit(t, treeOf(t, "/ovs/d", c.stored), view("d/l", Lines, c.content))
			sameStored(t, tree, "d="+c.want)
		})
	}
}

func TestRemoveView(t *testing.T) {
	tree := treeOf(t, "/ovs/d", `{"l": [[1], [2]], "o": {"x": 1}}`, "/ovs/k/x", "1", "/ovs/e", "[1]", "/ovs/m", "{}", "/ovs/m/k", "1")
	refused(t, tree, RemoveView("k", JSON), NotPermitted)
	refused(t, tree, RemoveView("m", YAML), NotPermitted)
	refused(t, tree, RemoveView("", JSON), NotPermitted)
	refused(t, tree, RemoveView("d", Lines), NotFound)
	refused(t, tree, RemoveView("d/l/0", JSON), Busy)
	refused(t, tree, RemoveView("none", JSON), NotFound)
	refused(t, tree, RemoveView("k/x", JSON), NotDirectory)
	for path, f := range map[string]Format{"d/o": JSON, "d/l/1": Lines, "e": YAML} {
		tree, _ = commit(t, tree, RemoveView(path, f))
	}
	sameStored(t, tree, `d={"l": [[1]]}`, "k/x=1", "m={}", "m/k=1")
}
