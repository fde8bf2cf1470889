package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is stored in etcd and what is written as files say the same.
func TestTreeShapesAgree(t *testing.T) {
	const leaves = 1234
	for _, shape := range []shape{keys, documents, wide} {
		tr := tree{"/p", leaves, shape}
		l := &lab{onDisk: map[string]bool{}}
		dir := t.TempDir()
		if err := l.asFiles(tr, dir); err != nil {
			t.Fatal(err)
		}
		seen := 0
		check := func(path, text string) {
			t.Helper()
			seen++
			var value string
			if err := json.Unmarshal([]byte(text), &value); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			file, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil || string(file) != value+"\n" {
				t.Errorf("%s is %q, %v; stored is %q", path, file, err, value)
			}
		}
		total := int64(0)
		err := tr.pairs(func(key, value string) error {
			total += int64(len(value))
			path := strings.TrimPrefix(key, "/p/")
			if shape != documents {
				check(path, value)
				return nil
			}
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(value), &fields); err != nil {
				return err
			}
			for name, text := range fields {
				check(path+"/"+name, string(text))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if seen != leaves || total != tr.valueBytes() {
			t.Errorf("shape %d: %d leaves of %d bytes, want %d of %d", shape, seen, total, leaves, tr.valueBytes())
		}
	}
}

func TestLargeDocument(t *testing.T) {
	text := largeDocument(10_000, 42)
	if len(text) < 1<<20 || len(text) > 3<<19 {
		t.Errorf("%d bytes", len(text))
	}
	var fields map[string]string
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	if fields["field05000"] != largeField(42) || fields["field00001"] != largeField(0) {
		t.Error("the fields are not those that were asked for")
	}
}
