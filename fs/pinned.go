package fs

import (
	"sync"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// pinned is a handle that reads one content, that of its open: of a leaf too
// large for one page or just changing, of a view, or of a control file. Who locks
// the file through it reads what there is then.
type pinned struct {
	mu      sync.RWMutex // guards the rest
	node    mapping.Node // valid for a leaf
	content []byte
}

func (p *pinned) read(_ <-chan struct{}, buf []byte, offset int64) ([]byte, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return part(p.content, offset, len(buf)), nil
}

// leaf returns the node that is read.
func (p *pinned) leaf() mapping.Node {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.node
}

// renew has the handle go on with another content of its leaf.
func (p *pinned) renew(n mapping.Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.node.Valid() {
		p.node, p.content = n, n.Content()
	}
}

func (p *pinned) size() (int64, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.node.Valid() {
		return 0, false
	}
	return int64(len(p.content)), true
}
