package mapping

import (
	"bytes"
	"slices"
	"time"
)

// Merge plans to do to a tree what was done to base to make mine of it: one
// change, whatever number of steps it took. keys are those that may differ
// between the two; none is looked at besides. Each key that differs is guarded.
//
// A key that nobody else touched since base gets the bytes that it has in mine. Of
// a document that both sides changed the fields are merged: what mine changed
// goes into the document as it is now, whose other bytes stay. An array whose
// length differs is taken as one. What both changed alike is no conflict.
//
// The error is Busy, with Conflicts as its cause, when both changed the same field, or
// the same value that is no document, to something else.
func Merge(base, mine *Tree, keys []string) Edit {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	return func(t *Tree) (Plan, error) {
		m := merging{base: base, mine: mine, draft: newDraft(t)}
		for _, key := range keys {
			m.key(key)
		}
		if len(m.conflicts) > 0 {
			return Plan{}, Errorf(Busy, "", "%w", m.conflicts)
		}
		plan := m.draft.finish()
		plan.Merged = !plan.Empty()
		return plan, nil
	}
}

type merging struct {
	base, mine *Tree
	draft      *draft
	empty      *Tree // with the settings of the others; made when it is needed
	conflicts  Conflicts
}

// version is one side's value of a key.
type version struct {
	value []byte
	has   bool
}

func versionOf(t *Tree, key string) version {
	kv, ok := t.Get(key)
	return version{kv.Value, ok}
}

func (v version) same(o version) bool { return v.has == o.has && bytes.Equal(v.value, o.value) }

func (m *merging) key(key string) {
	base, mine, theirs := versionOf(m.base, key), versionOf(m.mine, key), versionOf(m.draft.tree, key)
	switch {
	case base.same(mine):
	case mine.same(theirs):
		m.draft.look(key) // the plan holds only as long as this is so
	case base.same(theirs):
		if mine.has && !base.has && m.shadows(key) {
			return
		}
		m.take(key, mine)
	default:
		m.fields(key, base, mine, theirs)
	}
}

// shadows reports whether a key that mine has made stands in the way of what others have made: their value is above
// it or their keys are below it, and mine has neither. Together they would be another thing than each of them has seen.
func (m *merging) shadows(key string) bool {
	theirs := m.draft.tree
	m.draft.guardAbove(key)
	for at := range m.draft.tree.above(key) {
		_, had := m.base.Get(at)
		_, mine := m.mine.Get(at)
		if _, has := theirs.Get(at); has && !had && !mine {
			m.collide(at)
			return true
		}
	}
	if theirs.countUnder(key) > 0 && m.base.countUnder(key) == 0 && m.mine.countUnder(key) == 0 {
		m.collide(key)
		return true
	}
	if theirs.countUnder(key) == 0 && len(m.draft.plan.Absent) < mostAbsent {
		m.draft.plan.Absent = append(m.draft.plan.Absent, key+"/")
	}
	return false
}

// mostAbsent is of how many new keys it is compared that none comes below: of a transaction's compares, the others are guards.
const mostAbsent = 16

// collide notes a conflict of what the trees show at a key.
func (m *merging) collide(key string) {
	path, ok := m.draft.tree.PathOf(key)
	if !ok {
		return
	}
	base, _ := m.base.Lookup(path)
	mine, _ := m.mine.Lookup(path)
	theirs, _ := m.draft.tree.Lookup(path)
	m.conflicts = append(m.conflicts, Conflict{path, base, mine, theirs})
}

// take makes a key what it is in mine, with the lease that it has there if that was changed.
func (m *merging) take(key string, v version) {
	if !v.has {
		m.draft.delete(key)
		return
	}
	was, _ := m.base.Get(key)
	is, _ := m.mine.Get(key)
	if was.Lease != is.Lease {
		m.draft.move(key, v.value, is.Lease)
	} else {
		m.draft.put(key, v.value)
	}
}

// fields merges a key that three trees have different values of.
func (m *merging) fields(key string, base, mine, theirs version) {
	path, _ := m.mine.PathOf(key)
	merge := fieldMerge{mine: m.alone(key, mine), now: m.alone(key, theirs)}
	a, _ := m.alone(key, base).Lookup(path)
	b, _ := merge.mine.Lookup(path)
	c, _ := merge.now.Lookup(path)
	switch {
	case a.IsDir() && b.IsDir() && c.IsDir():
		merge.compare(path, a, b, c)
	case same(a, c): // they only spelled it in another way
		m.take(key, mine)
		return
	case same(b, c), same(a, b): // nor is it changed when mine only spelled it in another way
		m.draft.look(key)
		return
	default:
		merge.conflicts = Conflicts{{path, a, b, c}}
	}
	for _, at := range merge.paths {
		if plan, err := Restore(at, merge.mine)(merge.now); err == nil {
			merge.now, _ = merge.now.With(&plan, time.Time{})
			continue
		}
		was, _ := m.alone(key, base).Lookup(at)
		is, _ := merge.mine.Lookup(at)
		other, _ := merge.now.Lookup(at)
		merge.conflicts = append(merge.conflicts, Conflict{at, was, is, other})
	}
	if len(merge.conflicts) > 0 {
		m.conflicts = append(m.conflicts, merge.conflicts...)
		return
	}
	m.take(key, versionOf(merge.now, key))
}

// alone returns a tree of one key, in which no other stands in the way of its fields.
func (m *merging) alone(key string, v version) *Tree {
	if m.empty == nil {
		// The settings were good for base.
		m.empty = &Tree{look: m.base.look, top: slot{dir: &directory{key: m.base.look.prefix, root: true}}}
	}
	if !v.has {
		return m.empty
	}
	t, _ := m.empty.Apply(1, time.Time{}, []Change{{KV: KV{Key: key, Value: v.value, CreateRevision: 1, ModRevision: 1, Version: 1}}})
	return t
}

// fieldMerge finds out what a change made of the fields of one document, beside another change of it.
type fieldMerge struct {
	mine, now *Tree
	paths     []string // what is to be in now as it is in mine
	conflicts Conflicts
}

func (f *fieldMerge) compare(path string, base, mine, theirs Node) {
	switch {
	case same(mine, theirs), same(base, mine):
	case same(base, theirs):
		f.paths = append(f.paths, path)
	case !mergeable(base, mine, theirs):
		f.conflicts = append(f.conflicts, Conflict{path, base, mine, theirs})
	default:
		names := namesOf(base, mine)
		// A field that only theirs has needs nothing.
		for _, name := range names {
			was, _ := base.Lookup(name)
			is, _ := mine.Lookup(name)
			other, _ := theirs.Lookup(name)
			f.compare(joinPath(path, name), was, is, other)
		}
	}
}

func same(a, b Node) bool { return a.Valid() == b.Valid() && (!a.Valid() || a.Same(b)) }

// mergeable reports whether fields of one can be told from those of the others.
func mergeable(nodes ...Node) bool {
	for _, n := range nodes {
		if !n.Valid() || n.Type() != nodes[0].Type() || n.Type() != Object && n.Type() != Array ||
			n.Type() == Array && n.Len() != nodes[0].Len() {
			return false
		}
	}
	return true
}
