package cache_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// logOf replays the history of a key as lines, one for each difference.
func logOf(t *testing.T, n *node, key string) (lines []string, oldest int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var last *mapping.Tree
	oldest, err := n.Log(ctx, key, func(s cache.Step) bool {
		if last != nil && s.Old != last {
			t.Errorf("the step to revision %d is not from the one before", s.New.Revision())
		}
		last = s.New
		for d := range mapping.Diff(s.Old, s.New, "") {
			lines = append(lines, fmt.Sprintf("%d %s", s.New.Revision(), d))
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, oldest
}

func TestLogTellsAllRevisions(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	if lines, oldest := logOf(t, n, "/ovs"); lines != nil || oldest != 1 {
		t.Errorf("the history of nothing is %q from %d", lines, oldest)
	}
	states(e)
	want := []string{
		"2 + a: 1", "2 + b/c/x: 1", `2 + b/d: "raw\ntext"`,
		"3 ~ b/c/x: 1 -> 2",
		"4 - a: 1", `4 + e/f/g: "new"`,
		`6 + a: "again"`,
		"8 - b/c/x: 2", `8 - b/d: "raw\ntext"`,
		`9 + .value: "of the prefix itself"`,
	}
	if lines, _ := logOf(t, n, "/ovs"); !slices.Equal(lines, want) {
		t.Errorf("the history is %q, want %q", lines, want)
	}
	if lines, _ := logOf(t, n, "/ovs/b"); !slices.Equal(lines, []string{want[1], want[2], want[3], want[7], want[8]}) {
		t.Errorf("the history of b is %q", lines)
	}
	if lines, _ := logOf(t, n, "/ovs/a"); !slices.Equal(lines, []string{want[0], want[4], want[6]}) {
		t.Errorf("the history of a is %q", lines)
	}
	if lines, _ := logOf(t, n, "/ovs/none"); lines != nil {
		t.Errorf("the history of what never was is %q", lines)
	}

	if _, err := e.Compact(e.ctx, 4, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
	if lines, oldest := logOf(t, n, "/ovs"); !slices.Equal(lines, want[6:]) || oldest != 4 {
		t.Errorf("from %d on the history is %q", oldest, lines)
	}
	e.compactAll()
	if lines, oldest := logOf(t, n, "/ovs"); lines != nil || oldest != 9 {
		t.Errorf("from %d on the history is %q", oldest, lines)
	}
}

func TestLogOfManyRevisions(t *testing.T) {
	e := newEtcd(t)
	n := open(t, e.addr)
	const revisions = 3000 // a server sends a thousand at a time
	large := string(make([]byte, 1<<10))
	for i := range revisions {
		e.put("/ovs/n", fmt.Sprint(i), "/ovs/other", large)
	}
	e.put("/ovs/large", string(make([]byte, 1<<20)))
	lines, _ := logOf(t, n, "/ovs/n")
	if len(lines) != revisions || lines[0] != "2 + n: 0" || lines[revisions-1] != fmt.Sprintf("%d ~ n: %d -> %d", revisions+1, revisions-2, revisions-1) {
		t.Errorf("%d lines, from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}

	told := 0
	if _, err := n.Log(t.Context(), "/ovs", func(cache.Step) bool {
		told++
		return told < 10
	}); err != nil || told != 10 {
		t.Errorf("%d revisions were told after the end (%v)", told, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := n.Log(ctx, "/ovs", func(cache.Step) bool {
		cancel()
		return true
	})
	if err != nil {
		wantKind(t, err, mapping.Canceled)
	}
}
