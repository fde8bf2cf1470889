// Package writers tests two nodes that edit one document at once, with the
// real program and a real etcd.
package writers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

const document = "/ovs/shared"

// writersPerMount write at once on each of the two mounts, each to fields of its own.
const writersPerMount, fieldsPerWriter = 2, 3

// edits is how many edits all writers make together.
func edits() int {
	if os.Getenv("OVSCFGFS_TEST_LONG") == "1" {
		return 10_000
	}
	return 1_000
}

func field(writer, n int) string { return fmt.Sprintf("w%d_%d", writer, n%fieldsPerWriter) }

// start mounts a tree whose one document has a field for each writer.
func start(t *testing.T) *harness.Pair {
	return harness.StartPair(t, func(e *harness.Etcd) {
		var fields []string
		for w := range 2 * writersPerMount {
			for n := range fieldsPerWriter {
				fields = append(fields, fmt.Sprintf("%q: 0", field(w, n)))
			}
		}
		put(t, e, document, "{\n  "+strings.Join(fields, ",\n  ")+",\n  \"nested\": {\"text\": \"before\"}\n}\n")
	})
}

func put(t *testing.T, e *harness.Etcd, key, value string) {
	t.Helper()
	if _, err := e.Client.Put(context.Background(), key, value); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, p *harness.Pair) string {
	t.Helper()
	got, err := p.Etcd.Client.Get(context.Background(), document)
	if err != nil || len(got.Kvs) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	return string(got.Kvs[0].Value)
}

func revision(t *testing.T, p *harness.Pair) int64 {
	t.Helper()
	rev, err := p.Etcd.Revision()
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// Writers of different fields lose nothing of each other, and each edit is one
// revision that changes that field alone.
func TestDifferentFieldsAreMerged(t *testing.T) {
	p := start(t)
	each := edits() / (2 * writersPerMount)
	total := each * 2 * writersPerMount
	first := revision(t, p)
	before := stored(t, p)

	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 * writersPerMount {
		writers.Go(func() {
			if err := write(p.Dirs[w%2], w, each); err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	for i := range p.Dirs {
		readers.Go(func() {
			if err := readUntil(done, p, i); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if t.Failed() {
		return
	}
	if delta := revision(t, p) - first; delta != int64(total) {
		t.Errorf("%d edits made %d revisions", total, delta)
	}
	checkHistory(t, p, before, first, total)
	for i, dir := range p.Dirs {
		if _, err := p.Barrier(i); err != nil {
			t.Fatal(err)
		}
		for w := range 2 * writersPerMount {
			for n := each - fieldsPerWriter; n < each; n++ {
				if got, err := os.ReadFile(filepath.Join(dir, "shared", field(w, n))); err != nil || string(got) != fmt.Sprintf("%d\n", n+1) {
					t.Errorf("mount %d: %s reads %q, %v; last written was %d", i, field(w, n), got, err, n+1)
				}
			}
		}
	}
}

// write makes n edits and reads each back at once.
func write(dir string, writer, n int) error {
	for i := range n {
		path := filepath.Join(dir, "shared", field(writer, i))
		text := fmt.Sprintf("%d\n", i+1)
		if err := os.WriteFile(path, []byte(text), 0); err != nil {
			return err
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			return fmt.Errorf("%s reads %q, %v just after %q was written", path, got, err, text)
		}
	}
	return nil
}

// readUntil reads the document over and over: it is always whole, and no field
// ever goes back.
func readUntil(done <-chan struct{}, p *harness.Pair, mount int) error {
	dir := p.Dirs[mount]
	seen := map[string]int{}
	for {
		select {
		case <-done:
			return nil
		default:
		}
		// For its own sake, and so that the reader takes turns with the writers.
		if _, err := p.Barrier(mount); err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, "shared.json"))
		if err != nil {
			return err
		}
		fields, err := numbers(text)
		if err != nil {
			return fmt.Errorf("%s: the document is torn: %w: %q", dir, err, text)
		}
		for name, value := range fields {
			if value < seen[name] {
				return fmt.Errorf("%s: %s was %d and is %d", dir, name, seen[name], value)
			}
			seen[name] = value
		}
	}
}

func numbers(text []byte) (map[string]int, error) {
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	fields := map[string]int{}
	for name, value := range all {
		if n, ok := value.(float64); ok {
			fields[name] = int(n)
		}
	}
	if len(fields) != 2*writersPerMount*fieldsPerWriter || !reflect.DeepEqual(all["nested"], map[string]any{"text": "before"}) {
		return nil, errors.New("fields are missing")
	}
	return fields, nil
}

// checkHistory reads all revisions from etcd: each changed one field.
func checkHistory(t *testing.T, p *harness.Pair, before string, after int64, total int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	was, err := numbers([]byte(before))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for response := range p.Etcd.Client.Watch(ctx, document, clientv3.WithRev(after+1)) {
		if err := response.Err(); err != nil {
			t.Fatal(err)
		}
		for _, event := range response.Events {
			n++
			now, err := numbers(event.Kv.Value)
			if err != nil {
				t.Fatalf("revision %d: %v: %q", event.Kv.ModRevision, err, event.Kv.Value)
			}
			changed := 0
			for name := range now {
				if now[name] != was[name] {
					changed++
				}
			}
			if changed != 1 {
				t.Fatalf("revision %d changed %d fields", event.Kv.ModRevision, changed)
			}
			was = now
		}
		if n >= total {
			return
		}
	}
}
