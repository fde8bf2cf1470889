package main

import "context"

// A shared mount is one of the tree with a key for each leaf, which the
// experiments that only read take turns on: what one has listed and read is
// warm for the next.
type shared struct {
	*mount
	warm bool // all was listed and read
}

// shared returns the shared mount, made for who asks first.
func (l *lab) shared(ctx context.Context, readOnly bool) (*shared, error) {
	if s := l.common[readOnly]; s != nil {
		return s, nil
	}
	m, err := l.mount(ctx, l.keyTree().prefix, readOnly)
	if err != nil {
		return nil, err
	}
	s := &shared{mount: m}
	l.common[readOnly] = s
	return s, nil
}

// both returns the shared mounts, warm.
func (l *lab) both(ctx context.Context) (rw, ro *shared, err error) {
	if err := l.inEtcd(ctx, l.keyTree()); err != nil {
		return nil, nil, err
	}
	if rw, err = l.shared(ctx, false); err != nil {
		return nil, nil, err
	}
	if ro, err = l.shared(ctx, true); err != nil {
		return nil, nil, err
	}
	for _, s := range []*shared{rw, ro} {
		if s.warm {
			continue
		}
		if err := l.readAll(ctx, s.dir); err != nil {
			return nil, nil, err
		}
		s.warm = true
	}
	return rw, ro, nil
}

// readAll lists and reads everything below dir.
func (l *lab) readAll(ctx context.Context, dir string) error {
	for _, t := range tools("") {
		if t.name != "ls -lR" && t.name != "grep -r" {
			continue
		}
		if _, err := walk(ctx, t, dir); err != nil {
			return err
		}
	}
	return nil
}

// unshare ends the shared mounts.
func (l *lab) unshare() error {
	var first error
	for readOnly, s := range l.common {
		if err := s.stop(); err != nil && first == nil {
			first = err
		}
		delete(l.common, readOnly)
	}
	return first
}
