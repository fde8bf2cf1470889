package fs

import (
	"context"
	"os"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// The barrier waits, in a transaction too, for names that a request was at work on when they changed.
func TestBarrierWaitsForNamesAtWorkInTransactions(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	m.begin("t")
	if _, err := os.Stat(m.path(in("t", "a"))); err != nil {
		t.Fatal(err)
	}
	private := m.s.transactions.notices()[0]
	release := private.s.table.claim(private.s.table.root, "a")
	if err := private.s.store.Commit(context.Background(), mapping.Remove("a")); err != nil {
		t.Fatal(err)
	}
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		_ = m.read(".ovscfgfs/barrier")
	}()
	waits := func() bool {
		private.mu.Lock()
		defer private.mu.Unlock()
		return len(private.calmers) > 0
	}
	await(t, "somebody waits, or nobody", func() bool {
		select {
		case <-passed:
			return true
		default:
			return waits()
		}
	})
	if !waits() {
		t.Error("the barrier is passed while the kernel has a name that is gone")
	}
	release()
	<-passed
	if _, err := os.Stat(m.path(in("t", "a"))); !os.IsNotExist(err) {
		t.Errorf("the name that is gone: %v", err)
	}
}
