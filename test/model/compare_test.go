package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

const prefix = "/ovs/"

// compareEtcd holds what is stored against the tree, and returns the revision.
func compareEtcd(t *tree, e *harness.Etcd) (int64, error) {
	got, err := e.Client.Get(context.Background(), prefix, clientv3.WithPrefix())
	if err != nil {
		return 0, err
	}
	left := sortedKeys(t)
	for _, kv := range got.Kvs {
		key := strings.TrimPrefix(string(kv.Key), prefix)
		want := t.keys[key]
		if want == nil {
			return 0, fmt.Errorf("etcd has %q = %q, which should not be", key, kv.Value)
		}
		if now := parse(string(kv.Value)); !now.equal(want) {
			return 0, fmt.Errorf("etcd has %q = %q, want %s %s", key, kv.Value, want.is, want.write())
		}
		left = slices.DeleteFunc(left, func(k string) bool { return k == key })
	}
	if len(left) > 0 {
		return 0, fmt.Errorf("etcd has no %q", left)
	}
	return got.Header.Revision, nil
}

// compareMount walks a mount, or a private copy, whose root is at root. Where
// the tree does not know whether a local directory is there, it learns it.
func compareMount(t *tree, mount int, root string, look func(path string) bool) error {
	return compareDir(t, mount, root, t.at(mount, ""), look)
}

func compareDir(t *tree, mount int, root string, p *place, look func(string) bool) error {
	at := filepath.Join(root, p.path)
	entries, err := os.ReadDir(at)
	if err != nil {
		return err
	}
	names := map[string]fs.DirEntry{}
	for _, e := range entries {
		names[e.Name()] = e
	}
	for _, name := range t.names(p) {
		e := names[name]
		delete(names, name)
		path := join(p.path, name)
		child := t.at(mount, path)
		switch {
		case e == nil:
			return fmt.Errorf("%s does not list %q", at, name)
		case e.IsDir() != child.isDir():
			return fmt.Errorf("%s lists %q as %v, want directory %v", at, name, e.Type(), child.isDir())
		case child.isDir():
			err = compareDir(t, mount, root, child, look)
		default:
			err = compareLeaf(filepath.Join(root, path), child.v)
		}
		if err != nil {
			return err
		}
		if look(path) {
			if err := compareMore(t, filepath.Join(root, path), child); err != nil {
				return err
			}
		}
	}
	return compareLocal(t, mount, root, p, names, look)
}

// compareLocal looks at names that are listed and not of the tree.
func compareLocal(t *tree, mount int, root string, p *place, names map[string]fs.DirEntry, look func(string) bool) error {
	at := filepath.Join(root, p.path)
	for path, sure := range t.local[mount] {
		if dir, name := splitPath(path); dir == p.path && t.at(mount, path).kind != plain && t.at(mount, path).kind != stored {
			switch e := names[name]; {
			case e == nil && sure:
				return fmt.Errorf("%s has lost the directory %q", at, name)
			case e == nil:
				delete(t.local[mount], path) // what is in it may be back with it
			default:
				t.local[mount][path] = true
				if err := compareDir(t, mount, root, t.at(mount, path), look); err != nil {
					return err
				}
				delete(names, name)
			}
		}
	}
	for name, e := range names {
		return fmt.Errorf("%s lists %q (%v), which should not be", at, name, e.Type())
	}
	return nil
}

func compareLeaf(path string, v *value) error {
	want := v.content()
	got, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("%s reads %.200q, want %.200q (%s)", path, got, want, v.is)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() != int64(len(want)) {
		return fmt.Errorf("%s is %v of %d bytes, and reads %d", path, info.Mode(), info.Size(), len(want))
	}
	return nil
}

// compareMore looks at the type of an entry, and at a directory's view.
func compareMore(t *tree, path string, p *place) error {
	is := make([]byte, 64)
	n, err := retry(func() (int, error) { return syscall.Getxattr(path, "user.type", is) })
	if err != nil {
		return fmt.Errorf("%s: user.type: %w", path, err)
	}
	want := "directory"
	if p.kind == stored {
		want = p.v.is
	}
	if string(is[:n]) != want {
		return fmt.Errorf("%s has the type %q, want %q", path, is[:n], want)
	}
	if v := t.asValue(p); p.isDir() && validText(v) {
		view, err := os.ReadFile(path + ".json")
		if err != nil {
			return err
		}
		if got := parse(string(view)); !got.equal(v) {
			return fmt.Errorf("%s.json reads %q, want %s", path, view, v.write())
		}
	}
	return nil
}

// awaitGone returns when nothing has the name: a file that could not be stored
// goes with the last close, which the kernel tells a moment later.
func awaitGone(path string) error {
	for deadline := time.Now().Add(time.Minute); ; {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTDIR) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %s is still there after it was refused", errUnexpected, path)
		}
		time.Sleep(time.Millisecond)
	}
}
