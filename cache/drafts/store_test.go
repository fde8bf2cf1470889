package drafts

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// inner is a store in memory, whose tree another node may change too.
type inner struct {
	mu      sync.Mutex
	tree    atomic.Pointer[mapping.Tree]
	publish func(old, now *mapping.Tree, keys []string)
	commits int
	// meanwhile is called within the next commits, after they were planned.
	meanwhile func()
	fail      error
}

func newInner(t *testing.T) *inner {
	tree, err := mapping.NewTree(mapping.Settings{Prefix: "/ovs"})
	if err != nil {
		t.Fatal(err)
	}
	i := &inner{}
	i.tree.Store(tree)
	return i
}

func (i *inner) Tree() *mapping.Tree { return i.tree.Load() }

func (i *inner) Commit(_ context.Context, edit mapping.Edit) error {
	for {
		base := i.Tree()
		plan, err := edit(base)
		if err != nil || plan.Empty() {
			return err
		}
		if meanwhile := i.meanwhile; meanwhile != nil {
			i.meanwhile = nil
			meanwhile()
		}
		i.mu.Lock()
		if i.fail != nil {
			i.mu.Unlock()
			return i.fail
		}
		if i.Tree() == base {
			i.commits++
			i.applyLocked(&plan)
			i.mu.Unlock()
			return nil
		}
		i.mu.Unlock()
	}
}

func (i *inner) applyLocked(plan *mapping.Plan) {
	old := i.Tree()
	now, keys := old.With(plan, time.Time{})
	i.tree.Store(now)
	if i.publish != nil {
		i.publish(old, now, keys)
	}
}

// elsewhere changes a key as another node does; an empty value removes it.
func (i *inner) elsewhere(key, value string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	plan := mapping.Plan{Puts: []mapping.Put{{Key: key, Value: []byte(value)}}}
	if value == "" {
		plan = mapping.Plan{Deletes: []string{key}}
	}
	i.applyLocked(&plan)
}

func (i *inner) Barrier(context.Context) (int64, error)           { return i.Tree().Revision(), nil }
func (i *inner) At(context.Context, int64) (*mapping.Tree, error) { return nil, errors.ErrUnsupported }
func (i *inner) Writable() error                                  { return nil }
func (i *inner) Usage() (size, quota int64)                       { return 0, 0 }
func (i *inner) get(key string) string                            { kv, _ := i.Tree().Get(key); return string(kv.Value) }

// fieldA: values must have an "a" to be whole; "bad" is refused, and "x" needs another key.
type fieldA struct{}

func (fieldA) Whole(_ *mapping.Tree, _ string, value []byte) bool {
	return bytes.Contains(value, []byte(`"a"`))
}
func (fieldA) Lacks([]byte) string               { return "a" }
func (fieldA) Contains(value, draft []byte) bool { return bytes.Equal(value, draft) }

func (fieldA) Draft(_ *mapping.Tree, key string, _, after []byte) error {
	if bytes.Contains(after, []byte("bad")) {
		return mapping.Errorf(mapping.Invalid, key, "bad")
	}
	return nil
}

func (fieldA) Plan(t *mapping.Tree, plan mapping.Plan) (mapping.Plan, error) {
	for _, put := range plan.Puts {
		if bytes.Contains(put.Value, []byte("bad")) {
			return plan, mapping.Errorf(mapping.Invalid, put.Key, "bad")
		}
	}
	plan.Puts = append(plan.Puts, mapping.Put{Key: "/ovs/noted", Value: []byte("1")})
	return plan, nil
}

type fixture struct {
	*Store
	t     *testing.T
	inner *inner
	mu    sync.Mutex
	last  *mapping.Tree
	told  []string
}

func open(t *testing.T, in *inner, options ...func(*Options)) *fixture {
	o := Options{Inner: in, Rules: fieldA{}}
	for _, f := range options {
		f(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	f := &fixture{Store: s, t: t, inner: in, last: s.Tree()}
	s.Shown(func(old, now *mapping.Tree, keys []string) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if old != f.last {
			t.Errorf("told a change from another tree than the last one told")
		}
		f.last = now
		f.told = append(f.told, keys...)
	})
	in.publish = s.Published
	return f
}

func (f *fixture) put(key, value string) error {
	return f.Commit(context.Background(), func(t *mapping.Tree) (mapping.Plan, error) {
		kv, _ := t.Get(key)
		return mapping.Plan{Guards: []mapping.Guard{{Key: key, ModRevision: kv.ModRevision}}, Puts: []mapping.Put{{Key: key, Value: []byte(value)}}}, nil
	})
}

func (f *fixture) remove(key string) error {
	return f.Commit(context.Background(), func(t *mapping.Tree) (mapping.Plan, error) {
		kv, _ := t.Get(key)
		return mapping.Plan{Guards: []mapping.Guard{{Key: key, ModRevision: kv.ModRevision}}, Deletes: []string{key}}, nil
	})
}

func (f *fixture) shows(key, want string) {
	f.t.Helper()
	if kv, _ := f.Tree().Get(key); string(kv.Value) != want {
		f.t.Errorf("%s is shown as %q, want %q", key, kv.Value, want)
	}
}

func (f *fixture) stored(key, want string) {
	f.t.Helper()
	if got := f.inner.get(key); got != want {
		f.t.Errorf("%s is stored as %q, want %q", key, got, want)
	}
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) commits(want int) {
	f.t.Helper()
	if f.inner.commits != want {
		f.t.Errorf("%d commits, want %d", f.inner.commits, want)
	}
}

const k, other = "/ovs/k", "/ovs/other"

func TestDraftIsStoredWhenItIsWhole(t *testing.T) {
	f := open(t, newInner(t))
	f.must(f.put(k, `{"b": 1}`))
	f.shows(k, `{"b": 1}`)
	f.stored(k, "")
	f.commits(0)
	if err := f.put(k, `{"bad": 1}`); mapping.KindOf(err) != mapping.Invalid {
		t.Errorf("a bad draft: %v", err)
	}
	f.inner.elsewhere(other, `{"a": 1}`)
	f.shows(other, `{"a": 1}`)
	f.shows(k, `{"b": 1}`)
	if err := f.put(k, `{"b": 1, "a": "bad"}`); mapping.KindOf(err) != mapping.Invalid {
		t.Errorf("a bad value: %v", err)
	}
	f.shows(k, `{"b": 1}`)
	f.must(f.put(k, `{"b": 1, "a": 2}`))
	f.stored(k, `{"b": 1, "a": 2}`)
	f.stored("/ovs/noted", "1")
	f.commits(1)
	if len(f.over) != 0 {
		t.Errorf("a draft stays behind: %v", f.over)
	}
}

func TestDraftIsRemoved(t *testing.T) {
	f := open(t, newInner(t))
	f.must(f.put(k, `{}`))
	f.must(f.remove(k))
	f.shows(k, "")
	f.commits(0)
}

func TestDraftOfWhatSomebodyElseMakes(t *testing.T) {
	f := open(t, newInner(t))
	f.must(f.put(k, `{"b": 1}`))
	f.inner.elsewhere(k, `{"a": 0}`)
	f.shows(k, `{"b": 1}`)
	if err := f.put(k, `{"b": 1, "a": 2}`); mapping.KindOf(err) != mapping.Exists {
		t.Errorf("%v, want Exists", err)
	}
	f.stored(k, `{"a": 0}`)
	f.shows(k, `{"b": 1}`)
	f.must(f.put(k, `{"b": 2}`))
	f.must(f.Commit(context.Background(), mapping.Rename("k", "k2", 0)))
	f.shows("/ovs/k2", `{"b": 2}`)
	f.shows(k, `{"a": 0}`)
	f.must(f.put(other, `{"b": 1}`))
	f.inner.elsewhere(other, `{"a": 0}`)
	f.must(f.remove(other))
	f.shows(other, `{"a": 0}`)
	f.commits(0)
}

func TestSomebodyElseIsFaster(t *testing.T) {
	f := open(t, newInner(t))
	f.must(f.put(k, `{}`))
	f.inner.meanwhile = func() { f.inner.elsewhere(k, `{"a": 0}`) }
	if err := f.put(k, `{"a": 2}`); mapping.KindOf(err) != mapping.Exists {
		t.Errorf("%v, want Exists", err)
	}
	f.shows(k, `{}`)
}

func TestHeldChange(t *testing.T) {
	in := newInner(t)
	in.elsewhere(k, `{"a": 1, "b": 1}`)
	f := open(t, in)
	f.must(f.put(k, `{"b": 1}`))
	f.must(f.put(k, `{}`))
	f.shows(k, `{}`)
	f.stored(k, `{"a": 1, "b": 1}`)
	f.commits(0)
	f.must(f.put(k, `{"a": 2}`))
	f.stored(k, `{"a": 2}`)
	f.shows(k, `{"a": 2}`)
	f.commits(1)
	f.must(f.put(k, `{}`))
	f.must(f.remove(k))
	f.stored(k, "")
	f.shows(k, "")
	f.commits(2)
}

func TestHeldChangeEndsWithAChangeElsewhere(t *testing.T) {
	in := newInner(t)
	in.elsewhere(k, `{"a": 1}`)
	f := open(t, in)
	f.must(f.put(k, `{}`))
	in.elsewhere(k, `{"a": 3}`)
	f.shows(k, `{"a": 3}`)
	f.must(f.put(k, `{}`))
	in.elsewhere(k, "")
	f.shows(k, "")
}

func TestHeldChangeIsForgotten(t *testing.T) {
	in := newInner(t)
	in.elsewhere(k, `{"a": 1}`)
	forgot := make(chan string, 1)
	f := open(t, in, func(o *Options) {
		o.Forget = time.Millisecond
		o.Forgot = func(path, words string) { forgot <- path + " " + words }
	})
	f.must(f.put(k, `{}`))
	if got, want := <-forgot, "k cannot be without a, which was removed and not written again: the change was forgotten"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.shows(k, `{"a": 1}`)
	f.commits(0)
}

func TestNothingIsHeldOfALargerChange(t *testing.T) {
	in := newInner(t)
	in.elsewhere(k, `{"a": 1}`)
	f := open(t, in)
	for name, plan := range map[string]mapping.Plan{
		"with another key": {Puts: []mapping.Put{{Key: k, Value: []byte(`{}`)}, {Key: other, Value: []byte(`{"a": 1}`)}}},
		"merged":           {Puts: []mapping.Put{{Key: k, Value: []byte(`{}`)}}, Merged: true},
	} {
		err := f.Commit(context.Background(), func(*mapping.Tree) (mapping.Plan, error) { return plan, nil })
		if mapping.KindOf(err) != mapping.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.shows(k, `{"a": 1}`)
	f.shows(other, "")
}

func TestDraftsAreKept(t *testing.T) {
	in, file := newInner(t), filepath.Join(t.TempDir(), "drafts")
	keep := func(o *Options) { o.File = file }
	f := open(t, in, keep)
	in.elsewhere("/ovs/held", `{"a": 1}`)
	f.must(f.put(k, `{"b": 1}`))
	f.must(f.put(other, `{"b": 2}`))
	f.must(f.put("/ovs/third", `{"b": 3}`))
	f.must(f.put("/ovs/held", `{}`))
	f.must(f.remove("/ovs/third"))
	f.Close()
	in.elsewhere(other, `{"b": 2}`)
	again := open(t, in, keep)
	again.shows(k, `{"b": 1}`)
	again.shows("/ovs/third", "")
	again.shows("/ovs/held", `{"a": 1}`)
	if len(again.over) != 1 {
		t.Errorf("drafts: %v", again.over)
	}
}

// TestLostAnswer: what was stored although nobody said so takes its draft's place when it is seen.
func TestLostAnswer(t *testing.T) {
	f := open(t, newInner(t))
	f.must(f.put(k, `{}`))
	f.inner.fail = mapping.Errorf(mapping.TimedOut, "", "no answer")
	if err := f.put(k, `{"a": 1}`); mapping.KindOf(err) != mapping.TimedOut {
		t.Fatal(err)
	}
	f.shows(k, `{}`)
	f.inner.elsewhere(k, `{"a": 1}`)
	f.shows(k, `{"a": 1}`)
	if len(f.over) != 0 {
		t.Errorf("a draft stays behind: %v", f.over)
	}
}

// TestConcurrentDrafts: many write the fields of one draft, and others the store below; no field is lost.
func TestConcurrentDrafts(t *testing.T) {
	f := open(t, newInner(t))
	f.must(f.put(k, `{}`))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				name := string(rune('A'+i)) + string(rune('a'+j))
				if err := f.Commit(context.Background(), mapping.Write("k/"+name, []byte("1\n"), mapping.WriteOptions{})); err != nil {
					t.Error(err)
				}
				f.inner.elsewhere("/ovs/n"+name, `{"a": 1}`)
				if _, ok := f.Tree().Lookup("k/" + name); !ok {
					t.Errorf("%s is not shown after its commit", name)
				}
			}
		})
	}
	wg.Wait()
	if n, _ := f.Tree().Lookup("k"); n.Len() != 160 {
		t.Errorf("%d fields, want 160", n.Len())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last != f.Tree() {
		t.Error("the last tree was not told")
	}
}
