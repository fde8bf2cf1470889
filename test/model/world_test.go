package model

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/test/faults"
	"github.com/openvstorage/ovscfgfs/test/harness"
)

// world is an etcd with two mounts, and the model of what they show.
type world struct {
	pair     *harness.Pair
	programs harness.Programs
	proxy    *faults.Proxy // what the far mount reaches etcd through
	model    *tree
	chooser
	// looks chooses what is compared: the operations of a seed are the same
	// however much is.
	looks    chooser
	seen     seen
	revision int64
	txns     int
	past     map[int64]*tree
	passers  [2]*passer
	barriers [2]barrier
	// shown is what each mount had to show after the last step.
	shown [2][]*place
	// acted is the mount that alone can have changed something in this step, -1
	// if none: it shows what it has done without being waited for.
	acted  int
	log    []string
	counts map[string]int
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		model: newTree(), seen: seen{}, past: map[int64]*tree{}, counts: map[string]int{},
		chooser: chooser{rand.New(rand.NewPCG(seed, 0))}, looks: chooser{rand.New(rand.NewPCG(seed, 1))},
	}
	var err error
	if w.programs, err = harness.Build(); err != nil {
		t.Fatal(err)
	}
	if w.proxy, err = faults.NewProxy(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Close)
	w.pair = harness.StartPairThrough(t, func(e *harness.Etcd) {
		start := map[string]*string{}
		for key, v := range map[string]string{"a/b": `{"a": 1, "b": ["x", "y"], "c": {"x": true}}`, "a/c": "raw text", "b": `[1, {"a": null}]`, "c/a/0": "5", "c/a/1": `"text"`} {
			start[key] = &v
		}
		if err := w.put(e, start); err != nil {
			t.Fatal(err)
		}
	}, func(mount int, endpoint string) string {
		if mount != far {
			return endpoint
		}
		w.proxy.SetTarget(endpoint)
		return w.proxy.Addr()
	})
	if w.revision, err = w.pair.Etcd.Revision(); err != nil {
		t.Fatal(err)
	}
	for i := range w.passers {
		w.shown[i] = w.model.places(i)
		w.passers[i] = newPasser(w.pair.Dirs[i], seed+uint64(i))
		t.Cleanup(w.passers[i].end)
		w.barriers[i] = openBarrier(t, w.pair.Dirs[i])
	}
	return w
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
	w.log = w.log[max(0, len(w.log)-*logFlag):]
}

// step does one thing, while others pass by, and compares.
func (w *world) step(n int) error {
	mount := w.IntN(2)
	w.acted = -1
	if !*quietFlag {
		for i, p := range w.passers {
			p.pass(pathsOf(w.shown[i]))
		}
	}
	touched, revisions, err := w.act(mount)
	if !*quietFlag {
		for _, p := range w.passers {
			p.await()
		}
	}
	if err != nil {
		return err
	}
	whole := -1 // the mount that is compared whole
	switch {
	case touched == nil || *everyFlag == 1:
		whole = both
	case n%*everyFlag == 0:
		whole = n / *everyFlag % 2
	}
	return w.agree(revisions, touched, whole)
}

// far is the mount whose connection to etcd may break.
const far = 1

// both is as good as each of the mounts, where one is meant.
const both = 2

// act does one thing, and returns which paths it can have touched, nil for
// all, and how many revisions it may have made.
func (w *world) act(mount int) (touched []string, revisions int, err error) {
	kind := "operation"
	switch n := w.IntN(2000); {
	case n < 300:
		kind = "client"
		touched, err = w.client()
		revisions = 1
	case n < 400:
		kind = "transaction"
		revisions, err = w.transaction(mount)
	case n < 430:
		kind = "past"
		return []string{""}, 0, w.lookBack(mount)
	case n < 433:
		kind = "compaction"
		err = w.compact()
	case n < 436:
		kind = "broken connection"
		w.note("the connection of mount%d breaks", far)
		w.proxy.Break()
	case n < 437:
		kind = "outage"
		revisions, err = w.outage()
	case n < 447:
		kind = "watch"
		w.note("mount%d is watched anew", mount)
		if !*quietFlag {
			err = w.passers[mount].watch(pathsOf(w.shown[mount]))
		}
	default:
		o := w.operation(w.model, mount)
		kind = o.what
		if !o.elsewhere() {
			w.acted = mount
		}
		touched = []string{o.path}
		if o.to != "" {
			touched = append(touched, o.to)
		}
		var next *tree
		if next, revisions, err = w.try(o, w.model, mount, w.pair.Dirs[mount]); err == nil {
			w.model = next
		}
	}
	w.counts[kind]++
	return touched, revisions, err
}

// try performs an operation on a mount, or on a private copy, and returns the
// tree that there has to be now, and how many revisions it may have taken.
func (w *world) try(o operation, was *tree, mount int, root string) (*tree, int, error) {
	next := was.clone()
	keep, refused := o.expect(next, mount)
	w.note("%s: %.200v", filepath.Base(root), o)
	err := o.run(root)
	var errno syscall.Errno
	switch {
	case errors.Is(err, errUnexpected):
		return nil, 0, err
	case refused == nil && err != nil:
		return nil, 0, fmt.Errorf("it was refused: %w", err)
	case refused != nil && !errors.As(err, &errno):
		return nil, 0, fmt.Errorf("it was not refused (%v), want %v", err, refused)
	case refused != nil && !slices.Contains(refused, errno):
		return nil, 0, fmt.Errorf("it was refused with %v, want %v", err, refused)
	case refused != nil:
		w.note("  refused: %v", errno)
		return was, 0, nil
	}
	next.settle(was, mount, keep)
	if o.what == "rm -r" {
		return next, len(was.places(mount)), nil
	}
	return next, 1, nil
}

// agree waits until both mounts show the newest revision, and compares.
func (w *world) agree(revisions int, touched []string, whole int) error {
	revision, err := w.seen.compareEtcd(w.model, w.pair.Etcd)
	if err != nil {
		return err
	}
	if revision > w.revision+int64(revisions) {
		return fmt.Errorf("it made %d revisions, not %d", revision-w.revision, revisions)
	}
	w.revision = revision
	for i := range w.pair.Dirs {
		whole := whole == i || whole == both
		was := w.shown[i]
		if w.acted == i {
			if err := w.atOnce(i, touched); err != nil {
				return fmt.Errorf("mount %d shows not at once what was done there: %w", i, err)
			}
			if w.compare(i, was, touched, whole) == nil {
				continue
			}
			// It may be of a name that changed with what was done, as c%json does
			// when c goes: the kernel is told of it a moment later.
		}
		shown, err := w.barriers[i].pass()
		if err != nil {
			return err
		}
		if shown != revision {
			return fmt.Errorf("the barrier tells revision %d, etcd has %d", shown, revision)
		}
		if err := w.compare(i, was, touched, whole); err != nil {
			time.Sleep(time.Second)
			later := w.compare(i, was, touched, whole)
			return fmt.Errorf("mount %d: %w (a second later: %v)", i, err, later)
		}
	}
	if w.IntN(50) == 0 {
		w.remember()
	}
	return nil
}

// atOnce compares what an operation was about, now and then.
func (w *world) atOnce(mount int, paths []string) error {
	if w.looks.IntN(4) > 0 {
		return nil
	}
	v := view{w.model, mount, w.pair.Dirs[mount], func() bool { return false }}
	for _, path := range paths {
		p := w.model.at(mount, path)
		if sure, known := w.model.local[mount][path]; known && !sure && !p.exists() {
			continue // it may be there or not, see learn
		}
		switch info, err := os.Lstat(v.at(path)); {
		case !p.exists():
			if err := v.absent(path); err != nil {
				return err
			}
		case err != nil:
			return err
		case info.IsDir() != p.isDir():
			return fmt.Errorf("%s is %v, want directory %v", path, info.Mode(), p.isDir())
		case !p.isDir(): // of a content that a rename has converted the size comes a moment later
			got, err := readFile(v.at(path))
			if err != nil {
				return err
			}
			if want := p.v.content(); string(got) != want {
				return fmt.Errorf("%s reads %.200q, want %.200q (%s)", path, got, want, p.v.is)
			}
		}
	}
	return nil
}

// compare compares a mount, which showed was before.
func (w *world) compare(mount int, was []*place, touched []string, whole bool) error {
	v := view{w.model, mount, w.pair.Dirs[mount], func() bool { return w.looks.IntN(20) == 0 }}
	if err := v.learn(); err != nil {
		return err
	}
	if err := w.freeCaught(w.model, mount, w.pair.Dirs[mount]); err != nil {
		return err
	}
	now := w.model.places(mount)
	w.shown[mount] = now
	if whole {
		return v.whole()
	}
	if len(now) > 0 {
		touched = append(slices.Clone(touched), pick(w.looks, now...).path)
	}
	return v.changed(was, now, touched)
}

// freeCaught removes the local directories below root that a document has caught,
// of somebody else or one whose last key has gone: nothing but removing them is defined.
func (w *world) freeCaught(t *tree, mount int, root string) error {
	local := t.local[mount]
	for _, path := range slices.Backward(slices.Sorted(maps.Keys(local))) {
		if dir, _ := splitPath(path); t.at(mount, path).isLocalOrNone() && t.inDocument(mount, dir) {
			switch err := syscall.Rmdir(filepath.Join(root, path)); {
			case err == nil:
				w.note("%s: rmdir %q, caught by a document", filepath.Base(root), path)
			case local[path]:
				return fmt.Errorf("rmdir %q, caught by a document: %w", path, err)
			default:
				continue // it may not be there, or be hidden
			}
			delete(local, path)
		}
	}
	return nil
}

func (t *tree) inDocument(mount int, path string) bool {
	for ; path != ""; path, _ = splitPath(path) {
		if p := t.at(mount, path); p.kind == stored || p.v != nil && p.v.isDir() {
			return true
		}
	}
	return false
}
