package model

import (
	"maps"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
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

func (o operation) expectType(t *tree, mount int, p *place) refusal {
	invalid := refusal{syscall.EINVAL}
	to := o.text
	switch p.kind {
	case localOnly:
		switch to {
		case "object", "array":
			t.set(p, encode(map[string]string{"object": "{}", "array": "[]"}[to], to))
		case "directory":
		default:
			return invalid
		}
		return nil
	case plain:
		v := t.asValue(p)
		switch to {
		case "object":
		case "array":
			if v = toArray(v); v == nil {
				return invalid
			}
		case "directory":
			return nil
		default:
			return invalid
		}
		if !validText(v) {
			return invalid
		}
		t.remove(p)
		t.keys[p.key] = v
		return nil
	}
	var v *value
	switch {
	case p.v.is == to:
		return nil
	case p.v.isDir() && to == "directory":
		return t.unfold(p)
	case p.v.is == "object" && to == "array":
		v = toArray(p.v)
	case p.v.is == "array" && to == "object":
		v = emptyObject()
		for i, item := range p.v.items {
			v.fields[strconv.Itoa(i)] = item
		}
	case p.v.isDir():
	case to == "raw":
		if raw := parse(chomp(p.v.content())); !p.field && raw.is == "raw" {
			v = raw
		}
	case (to == "object" || to == "array") && chomp(p.v.content()) == "":
		v = encode(map[string]string{"object": "{}", "array": "[]"}[to], to)
	default:
		v = encode(p.v.content(), to)
	}
	if v == nil {
		return invalid
	}
	t.set(p, v)
	return nil
}

// validText reports whether all of v can be in a document.
func validText(v *value) bool {
	if v.is == "string" {
		return encode(v.text, "string") != nil
	}
	for _, f := range v.fields {
		if !validText(f) {
			return false
		}
	}
	return true
}

func toArray(v *value) *value {
	list := &value{is: "array"}
	for i := range len(v.fields) {
		item := v.fields[strconv.Itoa(i)]
		if item == nil {
			return nil
		}
		list.items = append(list.items, item)
	}
	return list
}

func (t *tree) unfold(p *place) refusal {
	if p.field || p.v.len() == 0 {
		return refusal{syscall.EINVAL}
	}
	members := map[string]*value{}
	for name, f := range p.v.fields {
		if strings.Contains(name, "/") {
			return refusal{syscall.EINVAL}
		}
		members[name] = f
	}
	for i, item := range p.v.items {
		members[strconv.Itoa(i)] = item
	}
	delete(t.keys, p.key)
	for name, v := range members {
		t.keys[join(p.key, name)] = v
	}
	return nil
}

func (o operation) expectView(t *tree, p *place) refusal {
	if o.what == "yaml" || o.what == "lines" { // the generator appends only what fits
		if o.what == "lines" {
			p.v.items = append(p.v.items, encode(o.text, p.v.items[0].is))
		} else {
			name, v, _ := strings.Cut(o.text, ": ")
			p.v.fields[name] = parse(chomp(v))
		}
		return nil
	}
	want := parse(chomp(o.text))
	switch {
	case !want.isDir() || p.kind == plain && want.is != "object":
		return refusal{syscall.EINVAL}
	case p.kind == stored:
		t.set(p, want)
		return nil
	}
	return t.writeKeys(p, want)
}

// writeKeys makes a plain directory mean what an object says.
func (t *tree) writeKeys(p *place, want *value) refusal {
	for _, name := range t.names(p) {
		if child := t.at(0, join(p.path, name)); want.fields[child.name] == nil {
			t.remove(child)
		}
	}
	for name, item := range want.fields {
		if strings.Contains(name, "/") {
			return refusal{syscall.EINVAL}
		}
		child := &place{path: join(p.path, encodeName(name)), key: join(p.key, name)}
		switch now := t.keys[child.key]; {
		case now == nil && t.isPlain(child.path):
			child.kind = plain
			if item.is == "object" {
				if refused := t.writeKeys(child, item); refused != nil {
					return refused
				}
				continue
			}
			t.remove(child)
		case now != nil && now.is == "raw" && item.is == "string" && parse(item.text).is == "raw":
			item = &value{is: "raw", text: item.text}
		}
		t.keys[child.key] = item
	}
	if len(want.fields) == 0 {
		t.keys[p.key] = emptyObject()
	}
	return nil
}

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
		t.moveLocal(mount, p.path, q.path)
		delete(t.keys, q.key)
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
			delete(t.keys, key)
			t.keys[to+key[len(from):]] = v
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
	switch {
	case !q.exists():
		return refusal{syscall.ENOENT, syscall.EINVAL}
	case p.kind == localOnly && q.kind == localOnly:
		t.swapLocal(mount, p.path, q.path)
		return nil
	case p.kind == localOnly || q.kind == localOnly:
		return refusal{syscall.EXDEV}
	case p.field != q.field && (p.isDir() || q.isDir()):
		return refusal{syscall.EXDEV}
	case !p.field && (p.isDir() || q.isDir()):
		t.swapLocal(mount, p.path, q.path)
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
