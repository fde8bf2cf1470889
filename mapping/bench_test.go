package mapping

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// manyKeys are n small keys in directories of ten, in order.
func manyKeys(n int) []Change {
	changes := make([]Change, n)
	for i := range changes {
		changes[i] = Change{KV: KV{
			Key:   fmt.Sprintf("/ovs/bench/%06d/key-%02d", i/10, i%10),
			Value: fmt.Appendf(nil, "value %04d", i%10000), ModRevision: int64(i), Version: 1,
		}}
	}
	return changes
}

func BenchmarkApply100000(b *testing.B) {
	changes := manyKeys(100_000)
	empty := treeOf(b)
	b.ReportAllocs()
	for b.Loop() {
		tree, _ := empty.Apply(1, time.Unix(1, 0), changes)
		if tree.Keys() != len(changes) {
			b.Fatal(tree.Keys())
		}
	}
}

// BenchmarkMemory reports what a key costs beyond the bytes of key and value.
func BenchmarkMemory(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return float64(stats.HeapAlloc)
	}
	changes := manyKeys(100_000)
	fields := "{" + strings.TrimSuffix(strings.Repeat(`"name": "value", `, 10_000), ", ") + "}"
	for i := range 10_000 {
		fields = strings.Replace(fields, `"name"`, fmt.Sprintf(`"n%05d"`, i), 1)
	}
	for b.Loop() {
		before := heap()
		tree, _ := treeOf(b).Apply(1, time.Unix(1, 0), changes)
		b.ReportMetric((heap()-before)/100_000, "B/key")
		document := treeOf(b, "/ovs/d", fields)
		before = heap()
		n, _ := document.Lookup("d/n00000")
		b.ReportMetric((heap()-before)/10_000, "B/field")
		runtime.KeepAlive(tree)
		runtime.KeepAlive(n)
	}
	b.ReportMetric(0, "ns/op")
}

func BenchmarkApplyOne(b *testing.B) {
	for _, keys := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			tree, _ := treeOf(b).Apply(1, time.Unix(1, 0), manyKeys(keys))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				tree, _ = tree.Apply(int64(i), time.Unix(1, 0), []Change{{KV: KV{Key: "/ovs/bench/004200/key-05", Value: fmt.Append(nil, i)}}})
			}
		})
	}
}

// BenchmarkApplyOneFlat changes one key of a directory of 100,000.
func BenchmarkApplyOneFlat(b *testing.B) {
	var changes []Change
	for i := range 100_000 {
		changes = append(changes, Change{KV: KV{Key: fmt.Sprintf("/ovs/%06d", i), Value: []byte("1")}})
	}
	tree, _ := treeOf(b).Apply(1, time.Unix(1, 0), changes)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		tree, _ = tree.Apply(int64(i), time.Unix(1, 0), []Change{{KV: KV{Key: "/ovs/042000", Value: fmt.Append(nil, i)}}})
	}
}

// BenchmarkApplyRemoval takes away a directory of 4,000 keys, in order, as a rename does.
func BenchmarkApplyRemoval(b *testing.B) {
	pairs := []string{"/ovs/stays", "1"}
	var gone []Change
	for i := range 4_000 {
		key := fmt.Sprintf("/ovs/a/leaf%05d", i)
		pairs = append(pairs, key, "1")
		gone = append(gone, Change{KV: KV{Key: key}, Deleted: true})
	}
	tree := treeOf(b, pairs...)
	b.ReportAllocs()
	for b.Loop() {
		if left, _ := tree.Apply(9, time.Unix(1, 0), gone); left.Keys() != 1 {
			b.Fatal(left.Keys())
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	tree, _ := treeOf(b).Apply(1, time.Unix(1, 0), manyKeys(100_000))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := tree.Lookup("bench/004200/key-05"); !ok {
			b.Fatal("not found")
		}
	}
}

// mebibyte is a document of that size with a few thousand fields.
func mebibyte() string {
	var s strings.Builder
	s.WriteString("{\n")
	for i := 0; s.Len() < 1<<20; i++ {
		if i > 0 {
			s.WriteString(",\n")
		}
		fmt.Fprintf(&s, "    \"section%06d\": {\"port\": %d, \"ips\": [\"10.0.0.1\", \"10.0.0.2\"], \"path\": \"/var/lib/volumes/%d\"}", i, i, i)
	}
	s.WriteString("\n}\n")
	return s.String()
}

func BenchmarkFirstLook(b *testing.B) {
	text := []byte(mebibyte())
	empty := treeOf(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		tree, _ := empty.Apply(1, time.Unix(1, 0), []Change{{KV: KV{Key: "/ovs/d", Value: text}}})
		if _, ok := tree.Lookup("d/section000100/ips/1"); !ok {
			b.Fatal("not found")
		}
	}
}

// BenchmarkNextDocument is a change of one field of a document that is looked into.
func BenchmarkNextDocument(b *testing.B) {
	text := mebibyte()
	other := []byte(strings.Replace(text, "volumes/100\"", "volumes/xxx\"", 1))
	tree := treeOf(b, "/ovs/d", text)
	tree.Lookup("d/section000100/ips/1")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		next, changed := tree.Apply(2, time.Unix(2, 0), []Change{{KV: KV{Key: "/ovs/d", Value: other}}})
		if _, ok := next.Lookup("d/section000100/ips/1"); !ok || len(changed) != 1 {
			b.Fatal("not found")
		}
	}
}
