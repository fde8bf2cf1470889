package fs

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestChildrenAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c children
		model := map[string]*inode{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			name := fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "name"))
			if i := model[name]; i != nil && rapid.Bool().Draw(t, "remove") {
				c.remove(i)
				delete(model, name)
			} else if i == nil {
				i = &inode{name: name}
				c.add(i)
				model[name] = i
			}
			c.remove(&inode{name: name}) // another of the name: nothing happens
		}
		count := 0
		for i := range c.all() {
			count++
			if model[i.name] != i {
				t.Fatalf("%s is in the set", i.name)
			}
		}
		if count != len(model) || c.count != count {
			t.Fatalf("%d are in the set and %d counted, want %d", count, c.count, len(model))
		}
		for k := range 61 {
			if name := fmt.Sprint(k); c.get(name) != model[name] {
				t.Fatalf("%s is not found right", name)
			}
		}
	})
}

func TestNumbersFindInodes(t *testing.T) {
	var n numbers
	var list []*inode
	for id := uint64(1); id <= 2000; id++ {
		i := &inode{id: id}
		n.add(i)
		list = append(list, i)
	}
	for _, i := range list[:1500] {
		n.remove(i)
		n.remove(i)
	}
	for k, i := range list {
		if got := n.get(i.id); (got == i) != (k >= 1500) {
			t.Fatalf("number %d finds %v", i.id, got)
		}
	}
	if n.get(0) != nil || n.get(5000) != nil || n.count != 500 || n.pages[1] != nil {
		t.Errorf("%d are known", n.count)
	}
}
