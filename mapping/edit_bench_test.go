package mapping

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// largeDocument is about as large as the store takes, 1 MiB, indented and with sections.
func largeDocument() string {
	var b strings.Builder
	b.WriteString("{\n")
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "    \"section%05d\": {\n        \"port\": %d,\n        \"path\": \"/mnt/ssd1/some \\\"path\\\"\",\n        \"nodes\": [1, 2, 3]\n    },\n", i, i)
	}
	b.WriteString("    \"last\": {\n        \"port\": 1\n    }\n}")
	return b.String()
}

// BenchmarkEditOfALargeDocument is all that this package does for one echo into
// a field: the plan, the new tree, and the field in it again.
func BenchmarkEditOfALargeDocument(b *testing.B) {
	for _, path := range []string{"d/section00000/port", "d/section04000/port", "d/last/port", "d/last/new"} {
		b.Run(path, func(b *testing.B) {
			tree := treeOf(b, "/ovs/d", largeDocument())
			tree.Lookup(path)
			for i := 0; b.Loop(); i++ {
				plan, err := Write(path, fmt.Appendln(nil, i), WriteOptions{})(tree)
				if err != nil {
					b.Fatal(err)
				}
				if plan.Empty() {
					continue
				}
				revision := tree.Revision() + 1
				next, _ := tree.Apply(revision, time.Unix(1, 0), []Change{{KV: KV{Key: "/ovs/d", Value: plan.Puts[0].Value, ModRevision: revision}}})
				if _, ok := next.Lookup(path); !ok {
					b.Fatal("the field is gone")
				}
				if path != "d/last/new" {
					tree = next
				}
			}
		})
	}
}

// BenchmarkMoveOfADirectory plans the rename of 20,000 keys.
func BenchmarkMoveOfADirectory(b *testing.B) {
	var keys []string
	for i := range 20000 {
		keys = append(keys, fmt.Sprintf("/ovs/from/%05d", i), "value")
	}
	tree := treeOf(b, keys...)
	for b.Loop() {
		if _, err := Rename("from", "to", 0)(tree); err != nil {
			b.Fatal(err)
		}
	}
}
