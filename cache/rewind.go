package cache

import (
	"context"
	"slices"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// wholeSpan is the number of keys up to which a span that has changed is read whole.
	wholeSpan = 500
	// sparse is how many keys there must be to a changed one for it to pay to look for it.
	sparse = 500
)

// rewind finds what an older revision had other than a newer tree, and reads as
// little as it can: a key that was not written since is what it was, and a
// count, which etcd takes from its index, tells whether a span of keys has lost any.
type rewind struct {
	c        *Cache
	revision int64
	changes  []mapping.Change
}

// from returns what makes base the tree of the revision.
func (r *rewind) from(ctx context.Context, base *mapping.Tree) ([]mapping.Change, error) {
	r.changes = nil
	c := r.c
	keys := slices.AppendSeq(make([]mapping.KV, 0, base.Keys()), c.keys(base))
	start := c.prefix + "/"
	if c.start == c.prefix {
		// The key of the prefix itself is apart: others lie between it and those below.
		own := keys[:0:0]
		if len(keys) > 0 && keys[0].Key == c.prefix {
			own, keys = keys[:1], keys[1:]
		}
		if err := r.read(ctx, c.prefix, "", own); err != nil {
			return nil, err
		}
	}
	read := r.span
	if base.Revision() < r.revision {
		read = r.read
	}
	err := read(ctx, start, c.end, keys)
	return r.changes, err
}

// span finds the changes from start to end, where keys are those of the newer tree.
func (r *rewind) span(ctx context.Context, start, end string, keys []mapping.KV) error {
	var stayed, changed int64
	for i := range keys {
		if keys[i].CreateRevision <= r.revision {
			stayed++
			if keys[i].ModRevision > r.revision {
				changed++
			}
		}
	}
	response, err := r.c.kv.Range(ctx, &pb.RangeRequest{Key: []byte(start), RangeEnd: []byte(end), Revision: r.revision, CountOnly: true}, callOptions()...)
	if err != nil {
		return err
	}
	count := response.Count
	// What was there and did not stay was deleted since, or made again.
	changed += count - stayed
	switch half := len(keys) / 2; {
	case changed == 0:
		for i := range keys {
			if keys[i].CreateRevision > r.revision {
				r.changes = append(r.changes, mapping.Change{KV: mapping.KV{Key: keys[i].Key, ModRevision: r.revision}, Deleted: true})
			}
		}
		return nil
	case count <= wholeSpan || changed > count/sparse || half == 0:
		return r.read(ctx, start, end, keys)
	default:
		if err := r.span(ctx, start, keys[half].Key, keys[:half]); err != nil {
			return err
		}
		return r.span(ctx, keys[half].Key, end, keys[half:])
	}
}

// read compares all from start to end; an empty end stands for the one key start.
func (r *rewind) read(ctx context.Context, start, end string, keys []mapping.KV) error {
	difference := newDifference(slices.Values(keys))
	defer difference.stop()
	request := &pb.RangeRequest{Key: []byte(start), Revision: r.revision}
	if end != "" {
		request.RangeEnd = []byte(end)
	}
	for p := range r.c.pages(ctx, request) {
		if p.err != nil {
			return p.err
		}
		for i := range p.changes {
			difference.add(&p.changes[i])
		}
	}
	r.changes = append(r.changes, difference.close(r.revision)...)
	return nil
}
