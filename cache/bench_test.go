package cache_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// fill stores n keys of about ten bytes each, ten to a directory.
func fill(e *etcd, n int) {
	const each = 2_500
	for from := 0; from < n; from += each {
		var ops []clientv3.Op
		for i := from; i < min(n, from+each); i++ {
			ops = append(ops, clientv3.OpPut(fmt.Sprintf("/ovs/%03d/%03d/%d", i/1000, i/10%100, i%10), fmt.Sprintf("%010d", i)))
		}
		e.txn(ops...)
	}
}

// BenchmarkLoad opens a cache of 100,000 keys beside a bare paged range of them.
func BenchmarkLoad(b *testing.B) {
	const keys, page = 100_000, 10_000
	e := newEtcd(b)
	fill(e, keys)
	bare := dial(b, e.addr)
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			n, from, revision := 0, "/ovs/", int64(0)
			for {
				r, err := bare.Get(b.Context(), from, clientv3.WithRange("/ovs0"), clientv3.WithLimit(page), clientv3.WithRev(revision))
				if err != nil {
					b.Fatal(err)
				}
				revision = r.Header.Revision
				n += len(r.Kvs)
				if !r.More {
					break
				}
				from = string(r.Kvs[len(r.Kvs)-1].Key) + "\x00"
			}
			if n != keys {
				b.Fatal(n)
			}
		}
	})
	b.Run("cache", func(b *testing.B) {
		for b.Loop() {
			c, err := cache.Open(b.Context(), cache.Options{Client: bare, Settings: mapping.Settings{Prefix: "/ovs"}})
			if err != nil {
				b.Fatal(err)
			}
			if c.Tree().Keys() != keys {
				b.Fatal(c.Tree().Keys())
			}
			b.StopTimer()
			c.Close()
			b.StartTimer()
		}
	})
}

// BenchmarkCommit commits one value beside a bare put of it.
func BenchmarkCommit(b *testing.B) {
	e := newEtcd(b)
	fill(e, 10_000)
	n := open(b, e.addr)
	bare := dial(b, e.addr)
	b.Run("bare", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := bare.Put(b.Context(), "/ovs/000/000/1", fmt.Sprint(i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cache", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if err := n.Commit(b.Context(), set("/ovs/000/000/1", fmt.Sprint(i))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRemotePut measures from the end of somebody's put to its
// publication, beside the arrival of the event at a bare watch.
func BenchmarkRemotePut(b *testing.B) {
	e := newEtcd(b)
	fill(e, 10_000)
	arrived := make(chan time.Time, 1)
	run := func(b *testing.B) {
		var total time.Duration
		for i := 0; b.Loop(); i++ {
			e.put("/ovs/000/000/1", strings.Repeat("x", i%7))
			sent := time.Now()
			total += (<-arrived).Sub(sent)
		}
		b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/notice")
	}
	b.Run("bare", func(b *testing.B) {
		watched := dial(b, e.addr).Watch(b.Context(), "/ovs/", clientv3.WithRange("/ovs0"), clientv3.WithCreatedNotify())
		<-watched
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range watched {
				select {
				case arrived <- time.Now():
				case <-b.Context().Done():
				}
			}
		}()
		run(b)
	})
	b.Run("cache", func(b *testing.B) {
		revision := int64(0)
		open(b, e.addr, func(o *cache.Options) {
			o.Publish = func(_, tree *mapping.Tree, keys []string) {
				if tree.Revision() > revision && len(keys) > 0 {
					revision = tree.Revision()
					select {
					case arrived <- time.Now():
					default:
					}
				}
			}
		})
		run(b)
	})
}
