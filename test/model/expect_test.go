package model

import (
	"syscall"
)

// refusal is the errors of which one has to be the answer.
type refusal []syscall.Errno

// expect makes the operation in t, which is a copy, or says how it is refused.
// keep are the paths whose directories the mount keeps when they are emptied.
func (o operation) expect(t *tree, mount int) (keep []string, refused refusal) {
	p := t.at(mount, o.path)
	switch {
	case p.kind == nothing && p.inFile:
		return nil, refusal{syscall.ENOTDIR}
	case p.kind == nothing:
		return nil, refusal{syscall.ENOENT}
	}
	switch o.what {
	case "mkdir", "create":
		if p.exists() {
			return nil, refusal{syscall.EEXIST}
		}
		if p.invalid {
			return nil, refusal{syscall.EINVAL}
		}
		return nil, o.expectNew(t, mount, p)
	case "rename":
		return o.expectRename(t, mount, p, t.at(mount, o.to))
	case "replace":
		return nil, o.expectReplace(t, p)
	}
	if !p.exists() {
		return nil, refusal{syscall.ENOENT}
	}
	switch o.what {
	case "write", "append", "patch", "truncate":
		if p.isDir() {
			return nil, refusal{syscall.EISDIR}
		}
		return nil, o.expectContent(t, p)
	case "unlink", "rmdir", "unview":
		return []string{o.path}, o.expectRemoval(t, mount, p)
	case "rm -r":
		t.removeAll(mount, p)
		return []string{o.path}, nil
	case "backup":
		t.set(p, p.v.overwritten(o.text, p.field)) // the generator gives only what fits
		return nil, nil
	case "away and back":
		return nil, nil
	case "settype":
		return nil, o.expectType(t, mount, p)
	default:
		return nil, o.expectView(t, p)
	}
}

func (o operation) expectNew(t *tree, mount int, p *place) refusal {
	if o.what == "mkdir" {
		if p.field {
			t.set(p, emptyObject())
		} else {
			t.local[mount][o.path] = true
		}
		return nil
	}
	v := infer(o.text, p.field)
	if v == nil {
		return refusal{syscall.EINVAL}
	}
	t.set(p, v)
	return nil
}

// removeAll takes out what is at p with all in it.
func (t *tree) removeAll(mount int, p *place) {
	for path := range t.local[mount] {
		if path == p.path || inside(path, p.path) {
			t.local[mount][path] = false // one that something hid comes back with its directory
		}
	}
	if p.kind != localOnly {
		t.remove(p)
	}
}

// uncovers reports whether something else has the name of a directory that is gone: a field of that name, or one in
// such a field. It would have it before rm comes to the directory itself.
func (t *tree) uncovers(mount int, p *place) bool {
	rest := t.clone()
	rest.removeAll(mount, rest.at(mount, p.path))
	now := rest.at(mount, p.path)
	return now.exists() && now.kind != localOnly
}

func (o operation) expectReplace(t *tree, p *place) refusal {
	switch {
	case p.isDir():
		return refusal{syscall.EISDIR}
	case p.invalid:
		return refusal{syscall.EINVAL}
	case p.exists():
		return o.expectContent(t, p)
	}
	return o.expectNew(t, 0, p)
}

func (o operation) expectContent(t *tree, p *place) refusal {
	content := p.v.content()
	switch o.what {
	case "write", "replace":
		content = o.text
	case "append":
		content += o.text
	case "truncate":
		content = content[:o.n]
	case "patch":
		after := ""
		if end := o.n + len(o.text); end < len(content) {
			after = content[end:]
		}
		content = content[:o.n] + o.text + after
	}
	v := p.v.overwritten(content, p.field)
	if v == nil {
		return refusal{syscall.EINVAL}
	}
	t.set(p, v)
	return nil
}

func (o operation) expectRemoval(t *tree, mount int, p *place) refusal {
	switch {
	case o.what == "unlink" && p.isDir():
		return refusal{syscall.EISDIR}
	case o.what == "rmdir" && !p.isDir():
		return refusal{syscall.ENOTDIR}
	case o.what == "rmdir" && !t.isEmpty(mount, p):
		return refusal{syscall.ENOTEMPTY}
	case o.what == "unview" && p.kind == plain:
		return refusal{syscall.EPERM}
	case !p.last():
		return refusal{syscall.EBUSY}
	}
	if p.kind == localOnly {
		delete(t.local[mount], o.path)
	} else {
		t.remove(p)
	}
	return nil
}
