package fs

import "github.com/openvstorage/ovscfgfs/mapping"

// pinned is a handle that reads one content, that of its open: of a leaf too
// large for one page or just changing, of a view, or of a control file.
type pinned struct {
	node    mapping.Node // valid for a leaf
	content []byte
}

func (p *pinned) read(_ <-chan struct{}, buf []byte, offset int64) ([]byte, error) {
	return part(p.content, offset, len(buf)), nil
}

func (p *pinned) size() (int64, bool) {
	if p.node.Valid() {
		return 0, false
	}
	return int64(len(p.content)), true
}
