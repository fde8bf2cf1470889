package fs

import (
	"os"
	"path/filepath"

	"github.com/openvstorage/ovscfgfs/fs/scratch"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// openLayer gives a writable mount its layer. Without a state directory the
// scratch files lie in a temporary one, which closeLayer removes.
func (s *server) openLayer() error {
	if s.opt.ReadOnly {
		return nil
	}
	names, err := scratch.NewNames(s.opt.Scratch)
	if err != nil {
		return mapping.Errorf(mapping.Invalid, "", "%w", err)
	}
	dir := s.opt.StateDir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ovscfgfs-scratch-"); err != nil {
			return mapping.Errorf(mapping.Other, "", "no directory for scratch files: %w; set --state-dir", err)
		}
		s.temporary = dir
	}
	files, err := scratch.Open(filepath.Join(dir, "scratch"), s.opt.ScratchLimit)
	if err != nil {
		return mapping.Errorf(mapping.Other, dir, "scratch files cannot be kept there: %w; set --state-dir", err)
	}
	s.layer = newLayer(names, files)
	s.overlay = s.layer
	return nil
}

// closeLayer carries out what is held back. The mount is gone.
func (s *server) closeLayer() {
	if s.layer != nil {
		for _, w := range s.layer.unopened() {
			s.saveUnopened(w)
		}
		s.expireBelow("")
	}
	if s.temporary != "" {
		if err := os.RemoveAll(s.temporary); err != nil {
			s.log.Warn("a temporary directory stays behind", "path", s.temporary, "error", err)
		}
	}
}
