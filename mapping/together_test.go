package mapping

import (
	"slices"
	"strings"
	"testing"
)

func TestTogether(t *testing.T) {
	tree := treeOf(t, "/ovs/d/a", "1", "/ovs/k", "2")
	plan, err := Together(
		SetType("d", Object),
		Write("d/x%2Fy", []byte("3\n"), WriteOptions{}),
		Write("k", []byte("4\n"), WriteOptions{}),
		Write("k", []byte("2\n"), WriteOptions{}),
	)(tree)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Puts) != 1 || string(plan.Puts[0].Value) != "{\n    \"a\": 1,\n    \"x/y\": 3\n}" || !slices.Equal(plan.Deletes, []string{"/ovs/d/a"}) {
		t.Errorf("the plan is %+v", plan)
	}
	for _, key := range []string{"/ovs/d", "/ovs/d/a", "/ovs/k"} {
		if !slices.ContainsFunc(plan.Guards, func(g Guard) bool { return g.Key == key }) {
			t.Errorf("%s is not guarded: %+v", key, plan.Guards)
		}
	}
	_, err = Together(Write("n", []byte("1\n"), WriteOptions{}), Write("n/x", []byte("1\n"), WriteOptions{}))(tree)
	if KindOf(err) != NotDirectory {
		t.Errorf("the error is %v", err)
	}
}

func TestKeyless(t *testing.T) {
	long := strings.Repeat("x", 300)
	cut := EncodeName(long)
	tree := treeOf(t, "/ovs/d/a", "1", "/ovs/doc", `{"o": {}}`)
	for path, want := range map[string]bool{
		"d/a%2Fb": true, "a%2Fb": true, "a%2Fb/x": true, "d/n/a%2Fb/x": true, "d/x%dup1": true, "d/x%json": true, "d/" + cut: true,
		"d/b": false, "d/a": false, "d/50%": false, "d/%2F%": false, "d/%2E": false, "d/%empty": false, "doc/a%2Fb": false, "doc/o/a%2Fb": false, "d/x%dup0": false,
	} {
		if got := Keyless(tree, path, nil); got != want {
			t.Errorf("Keyless(%.20s) = %v", path, got)
		}
	}
	if Keyless(tree, "d/"+cut, Segments{cut: long}) || !Keyless(tree, "d/"+cut, Segments{cut: long + "x"}) {
		t.Error("a cut name is known by its whole, and by nothing else")
	}
}

func TestRestoreText(t *testing.T) {
	for _, c := range []struct {
		values []string
		text   string
		copied map[string]Copied
		want   bool
	}{
		{[]string{"/ovs/d/a", "1"}, `{"a" :1}`, nil, true},
		{[]string{"/ovs/d/a", "1"}, `{"a" :2}`, nil, false},
		{[]string{"/ovs/d/a", `"1"`}, `{"a" :1}`, nil, false},
		{[]string{"/ovs/d/a", "1", "/ovs/d/b", "1"}, `{"a" :1}`, nil, false},
		{[]string{"/ovs/d/a", "1"}, `{"a" :1, "x/y": 2}`, nil, false},
		{[]string{"/ovs/d/a", "1"}, `{"a" :1, "x/y": 2}`, map[string]Copied{"x%2Fy": {Type: Number, Content: []byte("2\n")}}, true},
		{[]string{"/ovs/d/a", "1"}, `{"a" :1, "x/y": 2}`, map[string]Copied{"x%2Fy": {Type: Number, Content: []byte("3\n")}}, false},
		{[]string{"/ovs/d/a", "1"}, `{"a" :1}`, map[string]Copied{"x%2Fy": {Type: Number, Content: []byte("3\n")}}, false},
		{[]string{"/ovs/d/a", "1"}, `{"a" :1}`, map[string]Copied{".x": {Type: Number, Content: []byte("3\n"), Maybe: true}}, true},
		{[]string{"/ovs/d/a", "1"}, `{"a": 2, "a": 1}`, map[string]Copied{"a%dup1": {Type: Number, Content: []byte("2\n")}}, true},
		{[]string{"/ovs/d/0", "1", "/ovs/d/1", "2"}, `[1,  2]`, nil, true},
		{[]string{"/ovs/e", "1"}, `{"o/": {"x": []}}`, map[string]Copied{"o%2F": {Type: Object}, "o%2F/x": {Type: Array}}, true},
	} {
		plan, err := RestoreText("d", []byte(c.text), c.copied, nil)(treeOf(t, c.values...))
		if err != nil {
			t.Error(err)
		}
		if got := !plan.Empty(); got != c.want || got && string(plan.Puts[0].Value) != c.text {
			t.Errorf("%v with %v as %s: %+v", c.values, c.copied, c.text, plan)
		}
	}
}
