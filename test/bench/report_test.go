package main

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBars(t *testing.T) {
	for _, c := range []struct {
		name string
		unit unit
		bar  bar
		want string
	}{
		{"ratio met", seconds, within(onRW, 1.5, onTmpfs), "rw ≤ 1.5 × tmpfs (1.20): met"},
		{"ratio missed", seconds, within(onRW, 1.1, onTmpfs), "rw ≤ 1.1 × tmpfs (1.20): MISSED"},
		{"ratio and more", seconds, within(onRW, 1, onTmpfs).and(0.3), "rw ≤ tmpfs + 300 ms (1.20): met"},
		{"factor and more", seconds, within(onRW, 1.1, onTmpfs).and(0.02), "rw ≤ 1.1 × tmpfs + 20.0 ms (1.20): MISSED"},
		{"at least, met", perSecond, atLeast(onRW, 0.5, onTmpfs), "rw ≥ 0.5 × tmpfs (1.20): met"},
		{"at least, missed", perSecond, atLeast(onRW, 2, onTmpfs), "rw ≥ 2 × tmpfs (1.20): MISSED"},
		{"fixed, met", perLeaf, below(onRW, 2), "rw ≤ 2.00 B: met"},
		{"fixed, missed", perLeaf, below(onRW, 1), "rw ≤ 1.00 B: MISSED"},
		{"not measured", seconds, within(onRO, 1, onTmpfs), ""},
		{"nothing to compare with", seconds, within(onRW, 1, onDisk), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := new(report).row("g", "r", c.unit)
			for _, f := range []float64{9, 1, 0.1} {
				r.add(onTmpfs, f)
			}
			r.add(onRW, 1)
			r.add(onRW, 1.4)
			if got := c.bar.line(r); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		unit   unit
		figure float64
		want   string
	}{
		{seconds, 12.345, "12.3 s"},
		{seconds, 0.12345, "123 ms"},
		{seconds, 0.000012345, "12.3 µs"},
		{perSecond, 136_482, "136,000/s"},
		{perSecond, 1_004_999, "1,000,000/s"},
		{perSecond, 12, "12/s"},
		{bytes, 3 << 20, "3.00 MiB"},
		{perLeaf, 321.4, "321 B"},
		{count, 1, "1.00"},
	} {
		if got := c.unit.format(c.figure); got != c.want {
			t.Errorf("format(%v) = %q, want %q", c.figure, got, c.want)
		}
	}
}

// A full report becomes a terminal's table, a page and a picture.
func TestOutput(t *testing.T) {
	dir := t.TempDir()
	r := new(report)
	slow := r.row("warm", "find", seconds, within(onRW, 1.5, onTmpfs), within(onRO, 1.5, onTmpfs))
	slow.add(onTmpfs, 0.1)
	slow.add(onRW, 0.2)
	slow.add(onRO, 0.12)
	fast := r.row("rates", "stat, 1 thread", perSecond)
	fast.add(onTmpfs, 900_000)
	fast.add(onRW, 800_000)
	r.note("cold walks were left out")

	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"WARM", "find", "rw ≤ 1.5 × tmpfs (2.00): MISSED", "800,000/s", "note: cold"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}

	page := filepath.Join(dir, "performance.md")
	if err := writePage(r, []fact{{"cores", "2"}}, options{runs: 3, leaves: 1000}, page); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| find | 100 ms | 200 ms | 120 ms | rw ≤ 1.5 × tmpfs (2.00): MISSED<br>ro ≤ 1.5 × tmpfs (1.20): met |",
		"- warm, find: rw", "| cores | 2 |", "Note: cold walks", "(not measured in this run)", "(" + pictureName + ")",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}

	picture := filepath.Join(dir, pictureName)
	if err := drawPicture(r, picture); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	image, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if image.Bounds().Dx() < 500 {
		t.Errorf("the picture is %v", image.Bounds())
	}
}

// A run that measured nothing still writes what it can.
func TestEmptyReport(t *testing.T) {
	dir := t.TempDir()
	r := new(report)
	if err := drawPicture(r, filepath.Join(dir, pictureName)); err != nil {
		t.Error(err)
	}
	if err := writePage(r, nil, options{}, filepath.Join(dir, "performance.md")); err != nil {
		t.Error(err)
	}
}
