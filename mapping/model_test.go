package mapping

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/sjson"
	"pgregory.net/rapid"
)

// files is the model of a mount: the content of each file by its path, and ""
// for each directory by its path with a slash behind.
type files map[string]string

func filesOf(tree *Tree) files {
	all := files{}
	var walk func(n Node, path string)
	walk = func(n Node, path string) {
		for child := range n.Children() {
			at := joinPath(path, child.Name())
			if child.IsDir() {
				all[at+"/"] = ""
				walk(child, at)
			} else {
				all[at] = string(child.Content())
			}
		}
	}
	walk(tree.Root(), "")
	return all
}

// settle drops directories of keys that no key is in any more, which etcd does
// not have. Documents stay: they are values.
func (f files) settle(documents func(path string) bool) files {
	for changed := true; changed; {
		changed = false
		for path := range f {
			dir, isDir := strings.CutSuffix(path, "/")
			if !isDir || documents(dir) || f.holds(dir) {
				continue
			}
			delete(f, path)
			changed = true
		}
	}
	return f
}

func (f files) holds(dir string) bool {
	for path := range f {
		if isInside(path, dir) && path != dir+"/" {
			return true
		}
	}
	return false
}

// move renames a file, or a directory with all that is in it.
func (f files) move(from, to string) {
	delete(f, to)
	delete(f, to+"/")
	for path, content := range maps.Clone(f) {
		if path == from || path == from+"/" || isInside(path, from) {
			delete(f, path)
			f[to+path[len(from):]] = content
		}
	}
}

// Whatever edits do to keys and documents, they do to files what the same system
// calls do on any filesystem.
func TestEditsAgainstAModelOfFiles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tree := genTree(rt, t)
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			tree = modelStep(rt, tree)
		}
	})
}

func modelStep(t *rapid.T, tree *Tree) *Tree {
	model := filesOf(tree)
	paths := slices.Sorted(maps.Keys(model))
	pick := func(label string) string {
		if len(paths) == 0 {
			return "a"
		}
		return strings.TrimSuffix(rapid.SampledFrom(paths).Draw(t, label), "/")
	}
	fresh := func() string {
		dir, _ := splitPath(pick("beside"))
		return joinPath(dir, EncodeName(genName.Draw(t, "name")))
	}
	from := pick("from")
	_, isDir := model[from+"/"]
	var edit Edit
	switch op := rapid.SampledFrom([]string{"write", "create", "remove", "rmdir", "mkdir", "rename"}).Draw(t, "op"); op {
	case "write", "create":
		if op == "create" {
			from = fresh()
			_, isDir = model[from+"/"]
		}
		content := rapid.SampledFrom([]string{"1\n", "true\n", "x\n", "a\nb\n", "\"q\n"}).Draw(t, "content")
		edit = write(from, content)
		model[from] = content
	case "remove":
		edit = Remove(from)
		delete(model, from)
		delete(model, from+"/")
	case "rmdir":
		edit = RemoveDir(from)
		delete(model, from+"/")
	case "mkdir":
		from = fresh()
		edit = Mkdir(from)
		model[from+"/"] = ""
	case "rename":
		to := pick("to")
		if rapid.Bool().Draw(t, "to a new name") {
			to = fresh()
		}
		edit = Rename(from, to, 0)
		if from != to {
			model.move(from, to)
		}
	}
	plan, err := edit(tree)
	if err != nil {
		if KindOf(err) == Other {
			t.Fatalf("refused without a kind: %v", err)
		}
		return tree
	}
	next := applyPlan(t, tree, plan)
	got := filesOf(next)
	want := model.settle(func(path string) bool {
		n, ok := next.Lookup(path)
		return ok && n.Type() != Directory
	})
	if !maps.Equal(got, want) {
		t.Fatalf("after the edit of %s (a directory: %v) of\n%s\nthere is\n%s\nwant\n%s", from, isDir, stored(tree), got.lines(), want.lines())
	}
	return next
}

func (f files) lines() string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(&b, "%s %q\n", path, f[path])
	}
	return b.String()
}

// A view written to a directory makes it read so, whatever it was, and touches
// no key that read so before.
func TestViewsAgainstEachOther(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		here := genKeys("/ovs/here/").Draw(rt, "here")
		there := genKeys("/ovs/there/").Draw(rt, "there")
		f := rapid.SampledFrom([]Format{JSON, YAML}).Draw(rt, "format")
		tree := treeOf(t, append(here, there...)...)
		n, ok := tree.Lookup("there")
		m, ok2 := tree.Lookup("here")
		if !ok || !ok2 {
			return
		}
		text, err := Render(n, f)
		if err != nil {
			rt.Fatal(err)
		}
		before, _ := Render(m, f)
		plan, err := WriteView("here", f, text)(tree)
		if err != nil {
			rt.Fatalf("%s is refused: %v", text, err)
		}
		next := applyPlan(rt, tree, plan)
		m, _ = next.Lookup("here")
		after, err := Render(m, f)
		if err != nil {
			rt.Fatal(err)
		}
		a, err := parseView(&place{node: n}, f, after)
		if err != nil {
			rt.Fatal(err)
		}
		b, _ := parseView(&place{node: n}, f, text)
		if !a.equal(b) {
			rt.Fatalf("a directory that read\n%s was written\n%s and reads\n%s", before, text, after)
		}
		if f == JSON && !json.Valid(after) {
			rt.Fatalf("the view is not JSON: %s", after)
		}
		for _, p := range plan.Puts {
			if kv, ok := tree.Get(p.Key); ok && kindOf(kv.Value) != kindRaw && kindOf(p.Value) != kindRaw && parseJSON(kv.Value).equal(parseJSON(p.Value)) {
				rt.Fatalf("%s is rewritten though it meant the same", p.Key)
			}
		}
	})
}

// Folding a directory of keys and unfolding it shows the same files.
func TestFoldShowsTheSameFiles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tree := treeOf(t, genKeys("/ovs/d/").Draw(rt, "keys")...)
		if _, ok := tree.Lookup("d"); !ok {
			return
		}
		model := filesOf(tree)
		plan, err := SetType("d", Object)(tree)
		if err != nil {
			rt.Fatal(err)
		}
		folded := applyPlan(rt, tree, plan)
		got := filesOf(folded)
		for path, content := range model {
			// A raw value's own newline is part of the string, which gets one more.
			if have, ok := got[path]; !ok || strings.TrimRight(have, "\n") != strings.TrimRight(content, "\n") {
				rt.Fatalf("%s reads %q, and read %q", path, have, content)
			}
		}
		if plan, err = SetType("d", Directory)(folded); err != nil {
			rt.Fatal(err)
		}
		if unfolded := filesOf(applyPlan(rt, folded, plan)); !maps.Equal(unfolded, got) {
			rt.Fatalf("unfolded there is\n%s\nwant\n%s", unfolded.lines(), got.lines())
		}
	})
}

// For documents that sjson can edit, both do the same.
func TestEditsAgainstSJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		doc := genJSON(4).Draw(rt, "document")
		if doc[0] != '{' && doc[0] != '[' {
			return
		}
		tree := treeOf(t, "/ovs/d", doc)
		places := leafPlaces(tree)
		if len(places) == 0 {
			return
		}
		p := rapid.SampledFrom(places).Draw(rt, "place")
		path := sjsonPath(tree, p.path)
		set, err := sjson.SetRawBytes([]byte(doc), path, []byte(`{"new": 1}`))
		if err != nil {
			rt.Fatal(err)
		}
		if got := setValue([]byte(doc), p.spot, []byte(`{"new": 1}`)); !bytes.Equal(got, set) {
			rt.Fatalf("%s of %s set is\n%s, by sjson\n%s", p.path, doc, got, set)
		}
		deleted, err := sjson.DeleteBytes([]byte(doc), path)
		if err != nil {
			rt.Fatal(err)
		}
		if got := removeMember([]byte(doc), p.spot); partsOf(got).line() != partsOf(deleted).line() {
			rt.Fatalf("%s of %s removed is\n%s, by sjson\n%s", p.path, doc, got, deleted)
		}
	})
}

// sjsonPath is the path of an entry of the document d in sjson's language (FINDINGS 4).
func sjsonPath(tree *Tree, path string) string {
	var steps []string
	at := "d"
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "d/"), "/") {
		at = joinPath(at, name)
		if n, _ := tree.Lookup(at); n.Index() >= 0 {
			steps = append(steps, name)
			continue
		}
		field, _ := DecodeName(name)
		steps = append(steps, ":"+strings.NewReplacer(".", `\.`, "*", `\*`, "?", `\?`, "|", `\|`).Replace(field))
	}
	return strings.Join(steps, ".")
}
