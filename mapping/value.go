package mapping

import (
	"bytes"
	"sync/atomic"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"
)

// maxDepth is how deep the containers of a document may nest. Deeper JSON is
// raw: paths end at 4,096 bytes, and no reader of these values goes as deep.
const maxDepth = 200

// value is one key with its bytes: a KV, in fewer words, for a tree has as many
// as the store has keys. Everything but state and doc, which are found out on
// the first look, is fixed.
type value struct {
	key   string
	data  *byte // the first of size bytes
	size  uint32
	state atomic.Uint32
	// Revisions and lease as in KV.
	created, modified, version, lease int64

	seen int64 // nanoseconds since 1970 when these bytes were first seen; 0: unknown
	// doc is the table of fields of a document that has been looked into. It
	// depends on the bytes alone, so two readers that race make equal ones.
	doc atomic.Pointer[document]
}

const (
	stateKind   = 0xf // a kind; kindUnknown until the first look
	stateMarked = 1 << 4
	stateExact  = 1 << 5
	stateText   = 1 << 6 // raw text that lacks a final newline
)

// makeValue leaves the state to the caller. A value is below 4 GiB: etcd's
// messages are (gRPC's length of one has 32 bits).
func makeValue(kv KV, seen int64) *value {
	return &value{
		key: kv.Key, data: unsafe.SliceData(kv.Value), size: uint32(len(kv.Value)),
		created: kv.CreateRevision, modified: kv.ModRevision, version: kv.Version, lease: kv.Lease,
		seen: seen,
	}
}

// kv is the value as it is handed out.
func (v *value) kv() KV {
	return KV{Key: v.key, Value: v.bytes(), CreateRevision: v.created, ModRevision: v.modified, Version: v.version, Lease: v.lease}
}

// bytes are the stored bytes, which nobody modifies.
func (v *value) bytes() []byte { return unsafe.Slice(v.data, v.size) }

func newValue(kv KV, seen int64, marked, exact bool) *value {
	v := makeValue(kv, seen)
	var state uint32
	if marked {
		state |= stateMarked
	}
	if exact {
		state |= stateExact
	}
	v.state.Store(state)
	return v
}

// rewritten is v with the same bytes at a newer revision.
func (v *value) rewritten(kv KV) *value {
	kv.Value = v.bytes()
	n := makeValue(kv, v.seen)
	n.state.Store(v.state.Load())
	n.doc.Store(v.doc.Load())
	return n
}

// text is the value as a string that shares its bytes.
func (v *value) text() string { return unsafe.String(v.data, v.size) }

func (v *value) exact() bool { return v.state.Load()&stateExact != 0 }

func (v *value) kind() kind { return kind(v.look() & stateKind) }

// addsNewline reports whether a raw value is shown with a newline it lacks.
func (v *value) addsNewline() bool { return v.look()&stateText != 0 }

// look returns the state with the kind known.
func (v *value) look() uint32 {
	state := v.state.Load()
	if state&stateKind != 0 {
		return state
	}
	k := kindRaw
	if state&stateMarked == 0 {
		k = kindOf(v.bytes())
	}
	state |= uint32(k)
	if k == kindRaw && state&stateExact == 0 && lacksNewline(v.bytes()) {
		state |= stateText
	}
	v.state.Store(state)
	return state
}

// document returns the table of fields, or nil if the value is no document.
func (v *value) document() *document {
	if doc := v.doc.Load(); doc != nil {
		return doc
	}
	if !v.kind().container() {
		return nil
	}
	v.doc.CompareAndSwap(nil, parseDocument(v.text()))
	return v.doc.Load()
}

// scalar returns the JSON text of a whole value without the space around it.
func (v *value) scalar() string {
	start, end := trimSpace(v.text())
	return v.text()[start:end]
}

func (v *value) seenTime() time.Time { return timeOf(v.seen) }

func timeOf(seen int64) time.Time {
	if seen == 0 {
		return time.Time{}
	}
	return time.Unix(0, seen)
}

// kindOf tells what a value is by its bytes.
func kindOf(data []byte) kind {
	start, _ := trimSpace(unsafe.String(unsafe.SliceData(data), len(data)))
	if start == len(data) || uint64(len(data)) > 1<<31 {
		return kindRaw
	}
	k := kindAt(data[start])
	// The depth comes first: the validator calls itself for each level.
	if k.container() && depthOver(data, maxDepth) || !gjson.ValidBytes(data) {
		return kindRaw
	}
	return k
}

// depthOver reports whether containers nest deeper than limit. For what is not
// JSON the answer may be either.
func depthOver(data []byte, limit int) bool {
	if bytes.Count(data, []byte("{"))+bytes.Count(data, []byte("[")) <= limit {
		return false // almost every value, without a look at each byte
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		}
	}
	return false
}

// trimSpace returns the bounds of s without JSON's white space (RFC 8259, 2) at both ends.
func trimSpace(s string) (start, end int) {
	end = len(s)
	for start < end && isSpace(s[start]) {
		start++
	}
	for end > start && isSpace(s[end-1]) {
		end--
	}
	return start, end
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// lacksNewline reports whether data is text without a newline at its end.
func lacksNewline(data []byte) bool {
	return len(data) > 0 && data[len(data)-1] != '\n' && isText(data)
}

// isText: UTF-8 without NUL.
func isText(data []byte) bool {
	return bytes.IndexByte(data, 0) < 0 && utf8.Valid(data)
}
