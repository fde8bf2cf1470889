package fs

import (
	"bytes"
	"testing"
)

func TestDraft(t *testing.T) {
	base := []byte("8080\n")
	for _, c := range []struct {
		name               string
		do                 func(d *draft)
		want               string
		changed, cut, seen bool
		tail               int
	}{
		{"untouched", func(d *draft) {}, "8080\n", false, false, false, 0},
		{"read", func(d *draft) { d.read(0, 10) }, "8080\n", false, false, true, 0},
		{"overwritten in part", func(d *draft) { d.write([]byte("9"), 1, false) }, "8980\n", true, false, false, 0},
		{"emptied", func(d *draft) { d.empty() }, "", false, true, false, 0},
		{"emptied and written", func(d *draft) { d.empty(); d.write([]byte("9\n"), 0, false) }, "9\n", true, false, false, 0},
		{"read after a change", func(d *draft) { d.empty(); d.read(0, 1) }, "", false, true, false, 0},
		{"appended", func(d *draft) { d.write([]byte("1"), 0, true); d.write([]byte("2"), 99, true) }, "8080\n12", true, false, false, 2},
		{"appended to nothing", func(d *draft) { d.empty(); d.write([]byte("1"), 0, true) }, "1", true, false, false, 0},
		{"written and appended", func(d *draft) { d.write([]byte("1"), 0, false); d.write([]byte("2"), 0, true) }, "1080\n2", true, false, false, 0},
		{"a hole", func(d *draft) { d.write([]byte("x"), 7, false) }, "8080\n\x00\x00x", true, false, false, 0},
		{"shortened and grown", func(d *draft) { d.truncate(2); d.truncate(4) }, "80\x00\x00", true, false, false, 0},
	} {
		var d draft
		d.reset(base)
		c.do(&d)
		if string(d.buf) != c.want || d.changed != c.changed || d.cut != c.cut || d.seen != c.seen || d.tail != c.tail || d.size.Load() != int64(len(c.want)) {
			t.Errorf("%s: %q changed=%v cut=%v seen=%v tail=%d size=%d", c.name, d.buf, d.changed, d.cut, d.seen, d.tail, d.size.Load())
		}
		if string(base) != "8080\n" {
			t.Fatalf("%s: the base was modified: %q", c.name, base)
		}
	}
}

func TestDraftLine(t *testing.T) {
	for _, c := range []struct {
		base, write string
		off         int64
		cut, want   bool
	}{
		{"8080\n", "9\n", 0, true, true},
		{"8080\n", "9\n", 0, false, false}, // a rest of the old content follows
		{"8080\n", "9090\n", 0, false, true},
		{"8080\n", "9", 0, true, false},
		{"8080\n", "9\n8\n", 0, true, false},
		{"a\n", "b\n", 2, false, false},
	} {
		var d draft
		d.reset([]byte(c.base))
		if c.cut {
			d.empty()
		}
		d.write([]byte(c.write), c.off, false)
		if got := d.line([]byte(c.write), c.off); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func FuzzDraft(f *testing.F) {
	f.Add([]byte("base"), []byte{1, 2, 3, 'x', 0, 9, 200})
	f.Fuzz(func(t *testing.T, base, script []byte) {
		var d draft
		original := bytes.Clone(base)
		d.reset(base)
		model := bytes.Clone(base)
		for len(script) >= 3 {
			op, off, n := script[0]%4, int(script[1]), int(script[2]%16)
			script = script[3:]
			data := bytes.Repeat([]byte{op + 'a'}, n)
			switch op {
			case 0:
				for len(model) < off+n {
					model = append(model, 0)
				}
				copy(model[off:], data)
				d.write(data, int64(off), false)
			case 1:
				model = append(model, data...)
				d.write(data, int64(off), true)
			case 2:
				for len(model) < off {
					model = append(model, 0)
				}
				model = model[:off:off]
				d.truncate(int64(off))
			case 3:
				model = nil
				d.empty()
			}
			if !bytes.Equal(d.buf, model) || d.size.Load() != int64(len(model)) {
				t.Fatalf("op %d: %q, want %q", op, d.buf, model)
			}
			if d.tail > 0 && !bytes.Equal(append(bytes.Clone(base), d.buf[len(d.buf)-d.tail:]...), d.buf) {
				t.Fatalf("the tail %d does not explain %q", d.tail, d.buf)
			}
		}
		if !bytes.Equal(base, original) {
			t.Fatal("the base was modified")
		}
	})
}
