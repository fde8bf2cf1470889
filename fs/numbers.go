package fs

// numbers finds an inode by the number that the kernel knows it by. Numbers
// are given out in order and never again, so they are places in pages that
// are freed when all in them are forgotten.
type numbers struct {
	base  uint64 // the numbers are above it; a multiple of a page's size
	pages []*numberPage
	count int
}

type numberPage struct {
	inodes [512]*inode
	count  int
}

// get returns the inode of a number, or nil.
func (n *numbers) get(id uint64) *inode {
	page := (id - n.base) / 512
	if page >= uint64(len(n.pages)) || n.pages[page] == nil {
		return nil
	}
	return n.pages[page].inodes[id%512]
}

// add adds an inode whose id is larger than all before.
func (n *numbers) add(i *inode) {
	page := int((i.id - n.base) / 512)
	for page >= len(n.pages) {
		n.pages = append(n.pages, nil)
	}
	if n.pages[page] == nil {
		n.pages[page] = &numberPage{}
	}
	n.pages[page].inodes[i.id%512] = i
	n.pages[page].count++
	n.count++
}

// remove forgets an inode.
func (n *numbers) remove(i *inode) {
	if n.get(i.id) != i {
		return
	}
	page := (i.id - n.base) / 512
	p := n.pages[page]
	p.inodes[i.id%512] = nil
	p.count--
	n.count--
	if p.count == 0 {
		n.pages[page] = nil
	}
}
