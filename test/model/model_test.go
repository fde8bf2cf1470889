// Package model tests the whole program against a model of the tree: random
// operations on two mounts and by a client of etcd, after each of which the
// mounts, etcd and the model must agree, and what was refused must have
// changed nothing.
//
// The seed is always the same unless one is asked for: new bugs are looked for
// by hand, and CI says whether something broke.
//
//	go test ./test/model -timeout 0 -args -seed 0 -steps 100000
package model

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

var (
	seedFlag  = flag.Uint64("seed", 1, "seed of the random operations; 0 takes a new one")
	stepsFlag = flag.Int("steps", 300, "how many operations")
)

// run is one run of the test.
type run struct {
	pair  *harness.Pair
	model *tree
	chooser
	revision int64
	txns     int
	log      []string
}

func TestModel(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	r := &run{model: newTree(), chooser: chooser{rand.New(rand.NewPCG(seed, 0))}}
	r.pair = harness.StartPair(t, func(e *harness.Etcd) {
		start := map[string]*string{}
		for key, v := range map[string]string{"a/b": `{"a": 1, "b": ["x", "y"], "c": {"x": true}}`, "a/c": "raw text", "b": `[1, {"a": null}]`, "c/a/0": "5", "c/a/1": `"text"`} {
			start[key] = &v
		}
		if err := r.put(e, start); err != nil {
			t.Fatal(err)
		}
	})
	var err error
	if r.revision, err = r.pair.Etcd.Revision(); err != nil {
		t.Fatal(err)
	}
	for step := range *stepsFlag {
		if err := r.step(); err != nil {
			t.Fatalf("seed %d, step %d: %v\nthe last operations:\n%s\nthe model:\n%s", seed, step, err, strings.Join(r.log, "\n"), r.model)
		}
	}
}

func (r *run) note(format string, args ...any) {
	r.log = append(r.log, fmt.Sprintf(format, args...))
	r.log = r.log[max(0, len(r.log)-30):]
}

// step does one thing and looks at everything.
func (r *run) step() error {
	mount := r.IntN(2)
	revisions := 1
	var err error
	switch n := r.IntN(20); {
	case n < 3:
		err = r.client()
	case n == 3:
		revisions, err = r.transaction(mount)
	default:
		o := r.operation(r.model, mount)
		var next *tree
		if next, revisions, err = r.try(o, r.model, mount, r.pair.Dirs[mount]); err == nil {
			r.model = next
		}
	}
	if err != nil {
		return err
	}
	return r.agree(revisions)
}

// try performs an operation on a mount, or on a private copy, and returns the
// tree that there has to be now, and how many revisions it may have taken.
func (r *run) try(o operation, was *tree, mount int, root string) (*tree, int, error) {
	next := was.clone()
	keep, refused := o.expect(next, mount)
	r.note("%s: %.200v", root[strings.LastIndexByte(root, '/')+1:], o)
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
		r.note("  refused: %v", errno)
		return was, 0, nil
	}
	next.settle(was, mount, keep)
	return next, 1, nil
}

// agree waits until both mounts show the newest revision, and compares.
func (r *run) agree(revisions int) error {
	revision, err := compareEtcd(r.model, r.pair.Etcd)
	if err != nil {
		return err
	}
	if revision > r.revision+int64(revisions) {
		return fmt.Errorf("it made %d revisions, not %d", revision-r.revision, revisions)
	}
	r.revision = revision
	for i, dir := range r.pair.Dirs {
		shown, err := r.pair.Barrier(i)
		if err != nil {
			return err
		}
		if shown != revision {
			return fmt.Errorf("the barrier tells revision %d, etcd has %d", shown, revision)
		}
		if err := compareMount(r.model, i, dir, func(string) bool { return r.IntN(20) == 0 }); err != nil {
			return fmt.Errorf("mount %d: %w", i, err)
		}
		if err := r.freeCaught(i); err != nil {
			return err
		}
	}
	return nil
}

// freeCaught removes the local directories of a mount that somebody else's
// document has caught: nothing but removing them is defined.
func (r *run) freeCaught(mount int) error {
	local := r.model.local[mount]
	for _, path := range slices.Backward(slices.Sorted(maps.Keys(local))) {
		if dir, _ := splitPath(path); local[path] && r.model.inDocument(mount, dir) {
			r.note("mount%d: rmdir %q, caught by a document", mount, path)
			if err := syscall.Rmdir(filepath.Join(r.pair.Dirs[mount], path)); err != nil {
				return err
			}
			delete(local, path)
		}
	}
	return nil
}

func (t *tree) inDocument(mount int, path string) bool {
	for ; path != ""; path, _ = splitPath(path) {
		if t.at(mount, path).kind == stored {
			return true
		}
	}
	return false
}

// client changes keys in etcd, any number in one transaction.
func (r *run) client() error {
	changes := r.keys(r.model, pick(r.chooser, 1, 1, 1, 4))
	var words []string
	for key, v := range changes {
		if v == nil {
			words = append(words, fmt.Sprintf("delete %q", key))
		} else {
			words = append(words, fmt.Sprintf("put %q %q", key, *v))
		}
	}
	slices.Sort(words)
	r.note("etcd: %s", strings.Join(words, ", "))
	return r.put(r.pair.Etcd, changes)
}

func (r *run) put(e *harness.Etcd, changes map[string]*string) error {
	next := r.model.clone()
	var ops []clientv3.Op
	for key, v := range changes {
		if v == nil {
			ops = append(ops, clientv3.OpDelete(prefix+key))
			delete(next.keys, key)
		} else {
			ops = append(ops, clientv3.OpPut(prefix+key, *v))
			next.keys[key] = parse(*v)
		}
	}
	if _, err := e.Client.Txn(context.Background()).Then(ops...).Commit(); err != nil {
		return err
	}
	next.settle(r.model, 0, nil)
	r.model = next
	return nil
}

// transaction does some operations in a private copy, and commits or drops it.
func (r *run) transaction(mount int) (revisions int, err error) {
	r.txns++
	root := filepath.Join(r.pair.Dirs[mount], ".ovscfgfs", "txn", fmt.Sprintf("t%d", r.txns))
	r.note("begin %s", filepath.Base(root))
	if err := os.Mkdir(root, 0o755); err != nil {
		return 0, err
	}
	private := r.model.clone()
	private.local = newTree().local
	for range 1 + r.IntN(8) {
		if private, _, err = r.try(r.operation(private, mount), private, mount, root); err != nil {
			return 0, err
		}
		if r.IntN(4) == 0 {
			if err := compareMount(private, mount, root, func(string) bool { return false }); err != nil {
				return 0, err
			}
		}
	}
	if r.IntN(4) == 0 {
		r.note("drop %s", filepath.Base(root))
		return 0, os.Remove(root)
	}
	r.note("commit %s", filepath.Base(root))
	if err := os.Rename(root, root+".commit"); err != nil {
		return 0, err
	}
	was := r.model
	private.local = was.clone().local
	private.settle(was, mount, nil)
	r.model = private
	return 1, nil
}

func (t *tree) String() string {
	var b strings.Builder
	for _, key := range sortedKeys(t) {
		fmt.Fprintf(&b, "%q = %s %.300q\n", key, t.keys[key].is, t.keys[key].write())
	}
	fmt.Fprintf(&b, "local directories: %v\n", t.local)
	return b.String()
}
