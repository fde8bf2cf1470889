package mapping

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawFields draws a document of two levels as its fields by path; 0 is none.
func drawFields(t *rapid.T, label string, paths []string) map[string]int {
	fields := map[string]int{}
	for _, path := range paths {
		if v := rapid.IntRange(0, 4).Draw(t, label+" "+path); v > 0 {
			fields[path] = v
		}
	}
	return fields
}

func textOfFields(fields map[string]int) string {
	top := map[string]any{"o": map[string]any{}, "p": map[string]any{}}
	for path, v := range fields {
		if dir, name, ok := strings.Cut(path, "/"); ok {
			top[dir].(map[string]any)[name] = v
		} else {
			top[path] = v
		}
	}
	text, _ := json.Marshal(top)
	return string(text)
}

// What two sides made of the fields of documents is merged as a model of fields merges it.
func TestMergeAgainstModel(t *testing.T) {
	paths := []string{"a", "b", "o/a", "o/b", "p/a"}
	keys := []string{"/ovs/x", "/ovs/x/y", "/ovs/z"}
	rapid.Check(t, func(t *rapid.T) {
		sides := map[string]map[string]string{"base": {}, "mine": {}, "theirs": {}}
		want := map[string]string{}
		var conflicts []string
		for _, key := range keys {
			fields := map[string]map[string]int{}
			for _, side := range []string{"base", "mine", "theirs"} {
				fields[side] = drawFields(t, side+key, paths)
				sides[side][key] = textOfFields(fields[side])
			}
			merged := map[string]int{}
			for _, path := range paths {
				b, m, o := fields["base"][path], fields["mine"][path], fields["theirs"][path]
				switch {
				case m == b || m == o:
					merged[path] = o
				case o == b:
					merged[path] = m
				default:
					conflicts = append(conflicts, strings.TrimPrefix(key, "/ovs/")+"/"+path)
				}
				if merged[path] == 0 {
					delete(merged, path)
				}
			}
			want[key] = textOfFields(merged)
		}
		base := mergeTree(t, sides["base"])
		merged, _, err := mergeAll(base, changed(base, sides["mine"]), changed(base, sides["theirs"]))
		var found Conflicts
		errors.As(err, &found)
		var got []string
		for _, c := range found {
			got = append(got, c.Path)
		}
		slices.Sort(got)
		slices.Sort(conflicts)
		if !slices.Equal(got, conflicts) {
			t.Fatalf("conflicts %q, want %q (%v)", got, conflicts, err)
		}
		if err != nil {
			return
		}
		for key, text := range valuesOf(merged) {
			var a, b any
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(want[key]), &b); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("%s is %s, want %s", key, text, want[key])
			}
		}
	})
}

// Whatever the values are: with nobody else the result is mine, byte for byte;
// and a plan that others meet guards each key it puts.
func FuzzMerge(f *testing.F) {
	for _, seed := range [][3]string{
		{`{"a":1}`, `{"a":2}`, `{"a":1,"b":2}`}, {`[1,2]`, `[1]`, `[1,2,3]`}, {"\xff", "", `{"a":1,"a":2}`},
		{`{"":{"%":1}}`, `{"":{}}`, `{"":{"%":1,"/":2}}`}, {`{"a":{"b":[]}}`, `{"a":[]}`, `{"a":{"b":[1]}}`},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, key := range []string{"/ovs/k", "/ovs/k.ini", "/ovs"} {
			base := mergeTree(t, map[string]string{key: a, "/ovs/k/below": "1"})
			mine, theirs := changed(base, map[string]string{key: b}), changed(base, map[string]string{key: c})
			keys := []string{key}
			value := func(on *Tree) (string, error) {
				plan, err := Merge(base, mine, keys)(on)
				if err != nil {
					return "", err
				}
				merged, _ := on.With(&plan, time.Time{})
				kv, _ := merged.Get(key)
				return string(kv.Value), nil
			}
			if got, err := value(base); err != nil || got != b {
				t.Fatalf("alone: %q, %v, want %q", got, err, b)
			}
			if got, err := value(mine); err != nil || got != b {
				t.Fatalf("again: %q, %v, want %q", got, err, b)
			}
			got, err := value(theirs)
			if err != nil {
				if KindOf(err) != Busy {
					t.Fatalf("refused as %v: %v", KindOf(err), err)
				}
				continue
			}
			if a == b && got != c {
				t.Fatalf("nothing was changed here, and %q became %q", c, got)
			}
		}
	})
}
