package mapping

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// valueAt is a value that somebody has looked into.
func valueAt(text string, seen int64) *value {
	v := newValue(KV{Key: "/k", Value: []byte(text)}, seen, false, false)
	v.document()
	return v
}

// wholly is what becomes of a value that is read from its start to its end
// after old.
func wholly(text string, seen int64, old *value) *value {
	v := valueAt(text, seen)
	before, after := old.doc.Load(), v.doc.Load()
	if before == nil || after == nil {
		return v
	}
	c := seenCarrier{old: before, oldText: old.text(), oldSeen: old.seen, new: after, newText: text, seen: make([]int64, len(after.fields))}
	for i := range c.seen {
		c.seen[i] = seen
	}
	c.carry(0, 0)
	after.seen = c.seen
	return v
}

// sameTable compares all that a value knows of itself.
func sameTable(t *testing.T, got, want *value) {
	t.Helper()
	if got.kind() != want.kind() {
		t.Fatalf("%q is of kind %d, want %d", want.text(), got.kind(), want.kind())
	}
	a, b := got.document(), want.document()
	if a == nil || b == nil {
		if a != b {
			t.Fatalf("%q is a document for one of both", want.text())
		}
		return
	}
	if !reflect.DeepEqual(a.fields, b.fields) {
		t.Fatalf("%q has fields\n%v, want\n%v", want.text(), a.fields, b.fields)
	}
	if len(a.names.duplicates)+len(b.names.duplicates) > 0 && !reflect.DeepEqual(a.names.duplicates, b.names.duplicates) {
		t.Fatalf("%q: duplicates %v, want %v", want.text(), a.names.duplicates, b.names.duplicates)
	}
	if !reflect.DeepEqual(a.seen, b.seen) {
		t.Fatalf("%q was seen at %v, want %v", want.text(), a.seen, b.seen)
	}
	for i := 1; i < len(b.fields); i++ {
		name, element := b.nameOf(want.text(), uint32(i))
		if element {
			continue
		}
		parent := b.fields[i].parent
		was, _ := b.names.find(want.text(), b.fields, parent, name)
		if is, ok := a.names.find(got.text(), a.fields, parent, name); !ok || is != was {
			t.Fatalf("%q: %q is field %d, want %d", want.text(), name, is, was)
		}
	}
}

// FuzzShift replaces some bytes of a document, twice, and holds the table that
// is handed on to the one of a new reading.
func FuzzShift(f *testing.F) {
	for _, doc := range hardDocuments() {
		f.Add(doc, uint16(9), uint8(1), "7", uint16(12), uint8(2), `"x"`)
		f.Add(doc, uint16(2), uint8(0), "1", uint16(2), uint8(1), "")
	}
	f.Add(`{"a":[1,2,{"b":"c"}],"d":null}`, uint16(6), uint8(1), `"\\\""`, uint16(20), uint8(0), "55")
	f.Fuzz(func(t *testing.T, text string, at uint16, length uint8, by string, at2 uint16, length2 uint8, by2 string) {
		if len(text) > 1<<12 || len(by)+len(by2) > 1<<10 {
			t.Skip()
		}
		old := valueAt(text, 1)
		for i, edit := range []struct {
			at     uint16
			length uint8
			by     string
		}{{at, length, by}, {at2, length2, by2}} {
			start := min(int(edit.at), len(text))
			end := min(start+int(edit.length), len(text))
			text = text[:start] + edit.by + text[end:]
			seen := int64(i + 2)
			want := wholly(text, seen, old)
			got := newValue(KV{Key: "/k", Value: []byte(text)}, seen, false, false)
			got.inheritSeen(old)
			sameTable(t, got, want)
			holdChangedChild(t, old, got)
			old = got
		}
	})
}

// TestShiftOfScalars changes one scalar after the other, at random, and expects that no
// text is read again.
func TestShiftOfScalars(t *testing.T) {
	scalars := []string{"0", "-12.5e3", "true", "false", "null", `""`, `"a"`, `"\"\\,]}"`, `"{\"b\":1}"`, `"ü"`, `"` + strings.Repeat("long ", 900) + `"`}
	r := rand.New(rand.NewPCG(3, 4))
	text := "{\n \"a\" : 1, \"b\":[ \"x\" ,[2,[],{}], {\"\": \"y\", \"c\\\"\": null}],\r\n \"d\":{\"e\":{\"f\":[true]}, \"g\":0 } }\n"
	old := valueAt(text, 1)
	for round := range 3000 {
		fields := old.document().fields
		i := r.IntN(len(fields))
		if fields[i].kind.container() {
			continue
		}
		by := scalars[r.IntN(len(scalars))]
		next := text[:fields[i].start] + by + text[fields[i].end:]
		if next == text {
			continue
		}
		seen := int64(round + 2)
		v := newValue(KV{Key: "/k", Value: []byte(next)}, seen, false, false)
		v.inheritSeen(old)
		if v.doc.Load() == nil || &v.doc.Load().names.table[0] != &old.doc.Load().names.table[0] {
			t.Fatalf("%q for %q: the document was read again", by, text[fields[i].start:fields[i].end])
		}
		sameTable(t, v, wholly(next, seen, old))
		if holdChangedChild(t, old, v) == 0 {
			t.Fatalf("%q after %q: not told what changed", next, text)
		}
		text, old = next, v
	}
}

func TestCommonLength(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 63, 4095, 4096, 4097, 70000} {
		a := strings.Repeat("a", n)
		for _, at := range []int{0, 1, 8, 511, 4096, n - 1} {
			if at < 0 || at >= n {
				continue
			}
			b := a[:at] + "b" + a[at+1:]
			if start, end := differsBetween(a, b); start != at || end != n-at-1 {
				t.Errorf("%d of %d: %d and %d are the same", at, n, start, end)
			}
		}
		if start, end := differsBetween(a, a+fmt.Sprint(n)); start != n || end != 0 {
			t.Errorf("%d: %d and %d", n, start, end)
		}
	}
}
