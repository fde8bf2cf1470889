package mapping

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// mergeTree makes a tree of keys under /ovs.
func mergeTree(t interface{ Fatal(...any) }, values map[string]string) *Tree {
	tree, err := NewTree(Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	return changed(tree, values)
}

// changed makes the next revision of a tree.
func changed(tree *Tree, values map[string]string, deleted ...string) *Tree {
	plan := Plan{Deletes: deleted}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		plan.Puts = append(plan.Puts, Put{Key: key, Value: []byte(values[key])})
	}
	next, _ := tree.With(&plan, time.Time{})
	return next
}

func valuesOf(tree *Tree) map[string]string {
	values := map[string]string{}
	for kv := range tree.Under("/ovs") {
		values[kv.Key] = string(kv.Value)
	}
	return values
}

// mergeAll merges what mine made of base into theirs, with all keys as those that may differ.
func mergeAll(base, mine, theirs *Tree) (*Tree, Plan, error) {
	keys := slices.Concat(slices.Collect(maps.Keys(valuesOf(base))), slices.Collect(maps.Keys(valuesOf(mine))))
	plan, err := Merge(base, mine, keys)(theirs)
	if err != nil {
		return nil, plan, err
	}
	merged, _ := theirs.With(&plan, time.Time{})
	return merged, plan, nil
}

func TestMerge(t *testing.T) {
	base := map[string]string{
		"/ovs/a":    `{"port": 1,  "ips": ["x", "y"], "more": {"k": "v"}, "password": "old"}`,
		"/ovs/b":    `two`,
		"/ovs/b/c":  `3`,
		"/ovs/ini":  "[a]\nb=1\n",
		"/ovs/list": `[1, 2, 3]`,
	}
	type values = map[string]string
	for name, c := range map[string]struct {
		mine, theirs     values
		mineGone, others []string
		want             values // beside base
		gone             []string
		conflicts        []string
	}{
		"nothing":                            {},
		"mine only":                          {mine: values{"/ovs/b": "x", "/ovs/new/k": "1"}, mineGone: []string{"/ovs/ini"}, want: values{"/ovs/b": "x", "/ovs/new/k": "1"}, gone: []string{"/ovs/ini"}},
		"theirs only":                        {theirs: values{"/ovs/b": "y"}, want: values{"/ovs/b": "y"}},
		"different keys":                     {mine: values{"/ovs/b": "x"}, theirs: values{"/ovs/b/c": "4"}, want: values{"/ovs/b": "x", "/ovs/b/c": "4"}},
		"a document, and a key in it":        {mine: values{"/ovs/d": `{"a": 1}`}, theirs: values{"/ovs/d/a": "7"}, conflicts: []string{"d"}},
		"a key, and a document it is in":     {mine: values{"/ovs/d/a": "7"}, theirs: values{"/ovs/d": `{"a": 1}`}, conflicts: []string{"d"}},
		"a key deep in what is a value":      {mine: values{"/ovs/d/e/f": "7"}, theirs: values{"/ovs/d": "raw"}, conflicts: []string{"d"}},
		"both where mine has both":           {mine: values{"/ovs/d": "1", "/ovs/d/a": "7"}, theirs: values{"/ovs/d/b": "8"}, want: values{"/ovs/d": "1", "/ovs/d/a": "7", "/ovs/d/b": "8"}},
		"a key below a value that was there": {mine: values{"/ovs/ini/k": "7"}, theirs: values{"/ovs/ini": "[b]\n"}, want: values{"/ovs/ini/k": "7", "/ovs/ini": "[b]\n"}},
		"spelled differently, removed":       {mine: values{"/ovs/list": `[1,2,3]`}, others: []string{"/ovs/list"}, gone: []string{"/ovs/list"}},
		"spelled differently, changed":       {mine: values{"/ovs/list": `[1,2,3]`}, theirs: values{"/ovs/list": `"text"`}, want: values{"/ovs/list": `"text"`}},
		"removed, spelled differently":       {mineGone: []string{"/ovs/list"}, theirs: values{"/ovs/list": `[1,2,3]`}, gone: []string{"/ovs/list"}},
		"another kind, spelled differently":  {mine: values{"/ovs/list": `7`}, theirs: values{"/ovs/list": `[1,2,3]`}, want: values{"/ovs/list": `7`}},
		"the same leaf, spelled differently": {mine: values{"/ovs/list": `"a"`}, theirs: values{"/ovs/list": `"\u0061"`}, want: values{"/ovs/list": `"\u0061"`}},
		"different fields":                   {mine: values{"/ovs/a": `{"port": 2,  "ips": ["x", "y"], "more": {"k": "v"}, "password": "old"}`}, theirs: values{"/ovs/a": `{"port":1,"ips":["x","z"],"more":{"k":"v"},"password":"old"}`}, want: values{"/ovs/a": `{"port":2,"ips":["x","z"],"more":{"k":"v"},"password":"old"}`}},
		"a field comes, one goes":            {mine: values{"/ovs/a": `{"port": 1,  "ips": ["x", "y"], "password": "old", "n": {}}`}, theirs: values{"/ovs/a": `{"port": 9,  "ips": ["x", "y"], "more": {"k": "v"}, "password": "old"}`}, want: values{"/ovs/a": `{"port": 9,  "ips": ["x", "y"], "password": "old",  "n": {}}`}},
		"the same field alike":               {mine: values{"/ovs/a": `{"port": 2}`}, theirs: values{"/ovs/a": `{"port": 2}`}, want: values{"/ovs/a": `{"port": 2}`}},
		"the same field":                     {mine: values{"/ovs/list": `[1, 2, 4]`}, theirs: values{"/ovs/list": `[1, 2, 5]`}, conflicts: []string{"list/2"}},
		"elements of an array":               {mine: values{"/ovs/list": `[0, 2, 3]`}, theirs: values{"/ovs/list": `[1, 2, 5]`}, want: values{"/ovs/list": `[0, 2, 5]`}},
		"arrays of another length":           {mine: values{"/ovs/list": `[0, 2, 3]`}, theirs: values{"/ovs/list": `[1, 2]`}, conflicts: []string{"list"}},
		"an array and a field": {mine: values{"/ovs/a": `{"port": 1, "ips": [], "more": {"k": "v"}, "password": "old"}`},
			theirs: values{"/ovs/a": `{"port": 3, "ips": ["x", "y"], "more": {"k": "v"}, "password": "old"}`},
			want:   values{"/ovs/a": `{"port": 3, "ips": [], "more": {"k": "v"}, "password": "old"}`}},
		"raw":                         {mine: values{"/ovs/ini": "mine"}, theirs: values{"/ovs/ini": "theirs"}, conflicts: []string{"ini"}},
		"removed and changed":         {mineGone: []string{"/ovs/b", "/ovs/list"}, theirs: values{"/ovs/b": "y", "/ovs/list": "[]"}, conflicts: []string{"b", "list"}},
		"changed and removed":         {mine: values{"/ovs/list": `[]`}, others: []string{"/ovs/list"}, conflicts: []string{"list"}},
		"removed by both":             {mineGone: []string{"/ovs/b"}, others: []string{"/ovs/b"}, gone: []string{"/ovs/b"}},
		"made by both":                {mine: values{"/ovs/new": `{"a":1}`}, theirs: values{"/ovs/new": `{"b":1}`}, conflicts: []string{"new"}},
		"a field removed, changed":    {mine: values{"/ovs/a": `{"ips": ["x", "y"], "more": {"k": "v"}, "password": "old"}`}, theirs: values{"/ovs/a": `{"port": 7,  "ips": ["x", "y"], "more": {"k": "w"}, "password": "old"}`}, conflicts: []string{"a/port"}},
		"a document no more":          {mine: values{"/ovs/a": `{"port": 2}`}, theirs: values{"/ovs/a": `text`}, conflicts: []string{"a"}},
		"rewritten with the same":     {mine: values{"/ovs/b": "x"}, theirs: values{"/ovs/b": "two"}, want: values{"/ovs/b": "x"}},
		"broken UTF-8 and duplicates": {mine: values{"/ovs/b": "\xff\x00"}, theirs: values{"/ovs/a": "{\"a\":1,\"a\":2,\"\xff\":3}"}, want: values{"/ovs/b": "\xff\x00", "/ovs/a": "{\"a\":1,\"a\":2,\"\xff\":3}"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := mergeTree(t, base)
			mine, theirs := changed(b, c.mine, c.mineGone...), changed(b, c.theirs, c.others...)
			merged, plan, err := mergeAll(b, mine, theirs)
			var conflicts Conflicts
			if errors.As(err, &conflicts) != (len(c.conflicts) > 0) {
				t.Fatalf("merged as %+v, %v; want conflicts %q", plan, err, c.conflicts)
			}
			var paths []string
			for _, conflict := range conflicts {
				paths = append(paths, conflict.Path)
			}
			if !slices.Equal(paths, c.conflicts) {
				t.Errorf("conflicts are %q, want %q", paths, c.conflicts)
			}
			if err != nil {
				if KindOf(err) != Busy {
					t.Errorf("kind %v, want busy", KindOf(err))
				}
				return
			}
			want := maps.Clone(base)
			maps.Copy(want, c.want)
			for _, key := range c.gone {
				delete(want, key)
			}
			if got := valuesOf(merged); !maps.Equal(got, want) {
				t.Errorf("merged %q\n  want %q", got, want)
			}
			for _, p := range plan.Puts {
				if !slices.ContainsFunc(plan.Guards, func(g Guard) bool { return g.Key == p.Key }) {
					t.Errorf("%s is put without a guard", p.Key)
				}
			}
		})
	}
}

func TestMergeTellsNoSecret(t *testing.T) {
	base := mergeTree(t, map[string]string{"/ovs/a": `{"password": "tell-0", "o": {"port": 1, "password": "tell-1"}}`, "/ovs/b": "1"})
	mine := changed(base, map[string]string{"/ovs/a": `{"password": "tell-2"}`, "/ovs/b": "2"})
	theirs := changed(base, map[string]string{"/ovs/a": `{"password": "tell-3", "o": {"port": 1, "password": "tell-4"}}`, "/ovs/b": "3"})
	_, _, err := mergeAll(base, mine, theirs)
	var conflicts Conflicts
	if !errors.As(err, &conflicts) || len(conflicts) != 3 {
		t.Fatalf("%v", err)
	}
	words := err.Error()
	for _, c := range conflicts {
		words += "\n" + c.Path + ": " + c.String()
	}
	if strings.Contains(words, "tell-") {
		t.Errorf("a secret is told: %s", words)
	}
	if want := "b: was 1, is 2 in the transaction and 3 outside by now"; !strings.Contains(words, want) {
		t.Errorf("%s\nlacks %q", words, want)
	}
}

// Moving a key with a lease keeps it; a lease that others gave stays.
func TestMergeKeepsLeases(t *testing.T) {
	base := mergeTree(t, nil)
	plan := Plan{Puts: []Put{{Key: "/ovs/a", Value: []byte("1"), Lease: 7}, {Key: "/ovs/b", Value: []byte("1")}}}
	base, _ = base.With(&plan, time.Time{})
	plan, err := Rename("a", "c", 0)(base)
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := base.With(&plan, time.Time{})
	mine = changed(mine, map[string]string{"/ovs/b": "2"})
	theirs, _ := base.With(&Plan{Puts: []Put{{Key: "/ovs/b", Value: []byte("1"), Lease: 9}}}, time.Time{})
	merged, _, err := mergeAll(base, mine, theirs)
	if err != nil {
		t.Fatal(err)
	}
	for key, lease := range map[string]int64{"/ovs/c": 7, "/ovs/b": 9} {
		if kv, ok := merged.Get(key); !ok || kv.Lease != lease {
			t.Errorf("%s: %+v, want the lease %d", key, kv, lease)
		}
	}
}
