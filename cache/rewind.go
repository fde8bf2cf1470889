package cache

import (
	"context"
	"slices"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// topSpans are the spans of keys that are counted first, innerSpans those that a span is cut into
	// which has lost keys.
	topSpans   = 64
	innerSpans = 16
	// smallSpan is the number of keys up to which a span that has lost any is read whole, and fewLost
	// how many it may have lost for it to pay to look for them.
	smallSpan = 64
	fewLost   = 8
	// gap is how many unchanged keys are read along rather than beginning another reading.
	gap = 8
)

// rewind finds what an older revision had other than a newer tree, and reads as
// little as it can: a key that was not written since is what it was, and a
// count, which etcd takes from its index, tells whether a span of keys has lost any.
type rewind struct {
	c        *Cache
	revision int64
	gone     []mapping.Change // keys that there were not
	reads    []span           // what is to be read
}

// span is the keys from start to end, or the one key start if end is empty.
type span struct {
	start, end string
	keys       []mapping.KV // those of the newer tree
}

// from returns the tree of the revision, made of base.
func (r *rewind) from(ctx context.Context, base *mapping.Tree) (*mapping.Tree, error) {
	spans := slices.DeleteFunc(r.whole(base), func(s span) bool {
		// What comes of counting is nothing where much is to be read anyway.
		read := base.Revision() < r.revision || r.mostly(s)
		if read {
			r.reads = append(r.reads, s)
		}
		return read
	})
	for len(spans) > 0 {
		counts, err := r.count(ctx, spans)
		if err != nil {
			return nil, err
		}
		var inner []span
		for i, s := range spans {
			inner = append(inner, r.look(s, counts[i])...)
		}
		spans = inner
	}
	tree, _ := base.Apply(r.revision, time.Time{}, r.gone)
	err := r.read(ctx, func(changes []mapping.Change) {
		tree, _ = tree.Apply(r.revision, time.Time{}, changes)
	})
	return tree, err
}

// whole are all keys of a tree, in spans.
func (r *rewind) whole(base *mapping.Tree) []span {
	c := r.c
	keys := slices.AppendSeq(make([]mapping.KV, 0, base.Keys()), c.keys(base))
	if c.start != c.prefix {
		return span{c.start, c.end, keys}.cut(topSpans)
	}
	// The key of the prefix itself is apart: others lie between it and those below.
	own := keys[:0:0]
	if len(keys) > 0 && keys[0].Key == c.prefix {
		own, keys = keys[:1], keys[1:]
	}
	return append(span{c.prefix + "/", c.end, keys}.cut(topSpans), span{c.prefix, "", own})
}

// mostly reports whether most keys of a span were written since.
func (r *rewind) mostly(s span) bool {
	written := 0
	for i := range s.keys {
		if s.keys[i].ModRevision > r.revision {
			written++
		}
	}
	return written > len(s.keys)/2
}

// look makes of a span that held count keys what is known of it, or what is to be read; or returns the spans that it
// is to be looked for in.
func (r *rewind) look(s span, count int64) []span {
	for i := range s.keys {
		if s.keys[i].CreateRevision <= r.revision {
			count--
		}
	}
	// What was there and did not stay was deleted since, or made again.
	switch {
	case count == 0:
		r.changed(s)
	case len(s.keys) > smallSpan && count <= fewLost:
		return s.cut(innerSpans)
	default:
		r.reads = append(r.reads, s)
	}
	return nil
}

// changed reads the keys of a span that were written since. Others than those of the newer tree there were none.
func (r *rewind) changed(s span) {
	first, last := -1, -1
	flush := func() {
		if first >= 0 {
			r.reads = append(r.reads, span{s.keys[first].Key, s.keys[last].Key + "\x00", s.keys[first : last+1]})
			first = -1
		}
	}
	for i := range s.keys {
		switch kv := &s.keys[i]; {
		case kv.CreateRevision > r.revision:
			r.gone = append(r.gone, r.absent(kv.Key))
		case kv.ModRevision > r.revision:
			if first >= 0 && i-last > gap {
				flush()
			}
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	flush()
}

func (r *rewind) absent(key string) mapping.Change {
	return mapping.Change{KV: mapping.KV{Key: key, ModRevision: r.revision}, Deleted: true}
}

// cut divides a span into at most so many with about as many keys each.
func (s span) cut(parts int) []span {
	each := max(1, (len(s.keys)+parts-1)/parts)
	var all []span
	for len(s.keys) > each {
		all = append(all, span{s.start, s.keys[each].Key, s.keys[:each]})
		s.start, s.keys = s.keys[each].Key, s.keys[each:]
	}
	return append(all, s)
}
