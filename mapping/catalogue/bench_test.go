package catalogue

import (
	"testing"
)

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load(b)
	}
}

// The sample tree: 166 keys.
func BenchmarkCheck(b *testing.B) {
	c := load(b)
	tree := treeOf(b, sample(b))
	for b.Loop() {
		c.Check(tree, "")
	}
}

// What each write of a volumedriver's largest component costs.
func BenchmarkValidate(b *testing.B) {
	c := load(b)
	path := router + "/volume_router"
	value := []byte(sample(b)["/ovs/"+path])
	for b.Loop() {
		c.Validate(path, value)
	}
}

// A path that the catalogue does not know.
func BenchmarkUnknown(b *testing.B) {
	c := load(b)
	for b.Loop() {
		c.TypeOf("bench/00/0001/field")
	}
}
