package model

import (
	"maps"
	"syscall"

	"golang.org/x/sys/unix"
)

func (o operation) expectRename(t *tree, mount int, p, q *place) (keep []string, refused refusal) {
	exchange, noReplace := o.n&unix.RENAME_EXCHANGE != 0, o.n&unix.RENAME_NOREPLACE != 0
	if q.kind == nothing {
		refused = refusal{syscall.ENOENT, syscall.ENOTDIR, syscall.EINVAL}
	}
	switch {
	case refused != nil:
	case !p.exists():
		refused = refusal{syscall.ENOENT}
	case p.path == q.path:
		if noReplace {
			return nil, refusal{syscall.EEXIST}
		}
		return nil, nil
	case inside(q.path, p.path):
		refused = refusal{syscall.EINVAL, syscall.EEXIST, syscall.ENOENT, syscall.ENOTDIR}
	case inside(p.path, q.path) && exchange:
		refused = refusal{syscall.EINVAL}
	case inside(p.path, q.path):
		refused = refusal{syscall.ENOTEMPTY, syscall.EEXIST, syscall.EISDIR}
	case exchange:
		return nil, t.exchange(mount, p, q)
	case q.exists() && noReplace:
		refused = refusal{syscall.EEXIST}
	case q.exists() && p.isDir() && !q.isDir():
		refused = refusal{syscall.ENOTDIR}
	case q.exists() && !p.isDir() && q.isDir():
		refused = refusal{syscall.EISDIR}
	case q.isDir() && !t.isEmpty(mount, q):
		refused = refusal{syscall.ENOTEMPTY, syscall.EXDEV}
	case q.invalid:
		refused = refusal{syscall.EINVAL, syscall.EXDEV}
	}
	if refused != nil {
		return nil, refused
	}
	return []string{p.path}, t.move(mount, p, q)
}

func (t *tree) move(mount int, p, q *place) refusal {
	if p.isDir() && p.kind != localOnly { // what is in it, or hidden by it, goes with it
		t.moveLocal(mount, p.path, q.path)
	}
	switch {
	case p.kind == localOnly:
		if q.field || q.kind == stored {
			return refusal{syscall.EXDEV}
		}
		t.moveLocal(mount, p.path, q.path)
		return nil
	case p.isDir() && p.field != q.field:
		return refusal{syscall.EXDEV}
	case p.isDir() && !p.field:
		t.del(q.key)
		t.moveKeys(p.key, q.key)
		return nil
	case p.field && q.field && !q.exists() && p.container == q.container:
		if p.container.is == "array" {
			return refusal{syscall.EBUSY}
		}
		t.remove(p)
		t.set(q, p.v)
		return nil
	case !p.last():
		return refusal{syscall.EBUSY, syscall.EINVAL}
	}
	v := p.v
	switch {
	case p.isDir():
	case q.exists():
		if q.field && v.inField() == nil {
			return refusal{syscall.EINVAL}
		}
		v = v.fitted(q.v, q.field)
	case q.field:
		v = v.inField()
	}
	if v == nil {
		return refusal{syscall.EINVAL}
	}
	t.set(q, v)
	t.remove(p)
	return nil
}

// moveKeys renames a key, and all keys below it.
func (t *tree) moveKeys(from, to string) {
	for key, v := range maps.Clone(t.keys) {
		if key == from || inside(key, from) {
			t.del(key)
			t.put(to+key[len(from):], v)
		}
	}
}

func (t *tree) moveLocal(mount int, from, to string) {
	delete(t.local[mount], to)
	for path, sure := range maps.Clone(t.local[mount]) {
		if path == from || inside(path, from) {
			delete(t.local[mount], path)
			t.local[mount][to+path[len(from):]] = sure
		}
	}
}

func (t *tree) exchange(mount int, p, q *place) refusal {
	if q.exists() && (p.isDir() || q.isDir()) {
		t.swapLocal(mount, p.path, q.path)
	}
	switch {
	case !q.exists():
		return refusal{syscall.ENOENT, syscall.EINVAL}
	case p.kind == localOnly && q.kind == localOnly:
		return nil
	case p.kind == localOnly || q.kind == localOnly:
		return refusal{syscall.EXDEV, syscall.EINVAL}
	case p.isOwnValue() && q.isDir() || q.isOwnValue() && p.isDir():
		return refusal{syscall.EINVAL}
	case p.field != q.field && (p.isDir() || q.isDir()):
		return refusal{syscall.EXDEV}
	case !p.field && (p.isDir() || q.isDir()):
		t.moveKeys(p.key, "\x00")
		t.moveKeys(q.key, p.key)
		t.moveKeys("\x00", q.key)
		return nil
	}
	a, b := p.v, q.v
	if q.field {
		a = a.inField()
	}
	if p.field {
		b = b.inField()
	}
	if a == nil || b == nil {
		return refusal{syscall.EINVAL}
	}
	t.set(p, b)
	t.set(q, a)
	return nil
}

func (t *tree) swapLocal(mount int, a, b string) {
	t.moveLocal(mount, a, "\x00")
	t.moveLocal(mount, b, a)
	t.moveLocal(mount, "\x00", b)
}
