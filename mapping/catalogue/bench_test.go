package catalogue

import (
	"fmt"
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

// A tree of 20,000 volumes, for what a volume costs.
func BenchmarkCheckVolumes(b *testing.B) {
	c := load(b)
	values := sample(b)
	for i := range 20000 {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		values["/ovs/"+vols+"/volumes/"+id+"/config"] = `{"volume_router": "vmstorYKHFP7mHwzNZr6Im", "name": "c` + id + `", "filesystem_path": "/` + id + `", "sco_size": 64}`
	}
	tree := treeOf(b, values)
	for b.Loop() {
		if found := c.Check(tree, ""); len(found) > 0 {
			b.Fatal(found[0])
		}
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
