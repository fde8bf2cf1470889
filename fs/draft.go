package fs

import (
	"bytes"
	"sync/atomic"
)

// A draft is the content that one open file is about to have: the content it
// was opened with until the first change, a copy of its own after that. All
// but size is guarded by the lock of the handle (or pending entry) it is in.
type draft struct {
	base []byte // what it was opened with or last committed as; never modified
	buf  []byte // the content; shares base until own is set
	own  bool

	changed bool // differs from base by a write or an explicit truncation
	cut     bool // emptied by O_TRUNC, and nothing written since
	seen    bool // some of base was read through it before the first change

	// other: buf is not base although nothing was changed. spelt: it is what base
	// was written as, so that appending to it is appending to base.
	other, spelt bool

	// tail counts the bytes that were appended to base, when appending with
	// O_APPEND is all that was done: such a change can be made to whatever the
	// content is by then.
	tail int

	size atomic.Int64 // len(buf), for those who ask without the lock
}

// reset makes content what the draft holds, unchanged.
func (d *draft) reset(content []byte) {
	d.base, d.buf, d.own = content, content, false
	d.changed, d.cut, d.other, d.spelt, d.tail = false, false, false, false, 0
	d.size.Store(int64(len(content)))
}

// settle makes what was committed, and reads as now, what the draft holds
// unchanged. Where it reads differently (True became true, a newline was
// added), who goes on writing goes on from what it wrote; but who has only
// appended goes on at the end of what there is, which others may have changed.
func (d *draft) settle(written, now []byte) {
	line, ended := bytes.CutSuffix(now, []byte("\n"))
	if bytes.Equal(now, written) || d.tail > 0 && !(ended && bytes.Equal(line, written)) {
		d.reset(now)
		return
	}
	d.reset(written)
	d.base, d.other, d.spelt = now, true, true
}

// empty is O_TRUNC at open: the content is gone for this file, and stays in
// the tree until something is written or the last close.
func (d *draft) empty() {
	d.buf, d.own, d.cut, d.tail = nil, true, true, 0
	d.size.Store(0)
}

func (d *draft) dirty() bool { return d.changed || d.cut }

// read returns a copy-free slice of the content; the caller must not keep it
// past the lock unless the draft is still unchanged.
func (d *draft) read(off int64, n int) []byte {
	if !d.dirty() && n > 0 {
		d.seen = true
	}
	if off < 0 || off >= int64(len(d.buf)) {
		return nil
	}
	return d.buf[off:min(int64(len(d.buf)), off+int64(n))]
}

// write changes the content at off, or at its end if add is set.
func (d *draft) write(b []byte, off int64, add bool) {
	onlyAdds := add && (!d.other || d.spelt) && (d.tail > 0 || !d.dirty())
	if add {
		off = int64(len(d.buf))
	}
	d.resize(max(int64(len(d.buf)), off+int64(len(b))))
	copy(d.buf[off:], b)
	d.changed, d.cut = true, false
	if onlyAdds {
		d.tail += len(b)
	} else {
		d.tail = 0
	}
}

// truncate is an explicit change of the size.
func (d *draft) truncate(size int64) {
	d.resize(size)
	d.changed, d.cut, d.tail = true, false, 0
}

func (d *draft) resize(size int64) {
	old := int64(len(d.buf))
	switch {
	case size <= old && !d.own:
		d.buf = bytes.Clone(d.buf[:size])
	case size <= old:
		d.buf = d.buf[:size]
	case d.own && size <= int64(cap(d.buf)):
		d.buf = d.buf[:size]
		clear(d.buf[old:])
	default:
		grown := make([]byte, size, size+size/4)
		copy(grown, d.buf)
		d.buf = grown
	}
	d.own = true
	d.size.Store(size)
}

// line reports whether a write of b at off has made the content one whole
// line: all of the content came with it, and it ends with the only newline.
func (d *draft) line(b []byte, off int64) bool {
	return off == 0 && len(b) == len(d.buf) && len(b) > 0 && bytes.IndexByte(b, '\n') == len(b)-1
}
