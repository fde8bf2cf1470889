package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// measureDocument times an edit of one field in a document of 1 MiB beside a
// bare put of the same document: what is more is the mount's own part.
func measureDocument(ctx context.Context, l *lab) error {
	const prefix, fields = "/bench/document", 10_000
	if _, err := l.client.Put(ctx, prefix+"/big", largeDocument(fields, 0)); err != nil {
		return err
	}
	row := l.report.row("document", "edit one field of a 1 MiB document", seconds, within(onRW, 1, onEtcd).and(0.010))
	return l.mounted(ctx, prefix, false, func(m *mount) error {
		field := filepath.Join(m.dir, "big", fmt.Sprintf("field%05d", fields/2))
		n := 0
		put := func() (float64, error) {
			n++
			value := largeDocument(fields, n)
			return stopwatch(func() error { _, err := l.client.Put(ctx, "/bare/big", value); return err })
		}
		edit := func() (float64, error) {
			n++
			return stopwatch(func() error { return writeLeaf(field, largeField(n)+"\n") })
		}
		if _, err := edit(); err != nil {
			return err
		}
		if err := l.interleave(ctx, row, 6*l.runs, variant{onEtcd, put}, variant{onRW, edit}); err != nil {
			return err
		}
		stored, err := l.client.Get(ctx, prefix+"/big")
		if err != nil {
			return err
		}
		if string(stored.Kvs[0].Value) != largeDocument(fields, n) {
			return fmt.Errorf("%s/big is not the document that was written", prefix)
		}
		return nil
	})
}

// largeDocument is about 1 MiB for 10,000 fields; the middle one tells n.
func largeDocument(fields, n int) string {
	var b strings.Builder
	for i := range fields {
		value := 0
		if i == fields/2 {
			value = n
		}
		sep := ",\n"
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(&b, `%s"field%05d": "%s"`, sep, i, largeField(value))
	}
	b.WriteString("}")
	return b.String()
}

// largeField is a string of 87 characters that tells n.
func largeField(n int) string { return fmt.Sprintf("%07d%s", n, strings.Repeat("x", 80)) }
