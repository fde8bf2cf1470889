package catalogue

import "strings"

// entry is one row of the file.
type entry struct {
	pattern string
	schema  *schema
	// raw is the format of a value that has no schema.
	raw   string
	class Class // of a raw value
	// loose: the service's parser forgets JSON types, so that "5" is 5 to it.
	loose bool
}

// branch is a node of the tree of patterns.
type branch struct {
	names map[string]*branch
	star  *branch
	entry *entry
}

func (b *branch) add(e *entry) (taken bool) {
	for segment := range strings.SplitSeq(e.pattern, "/") {
		next := b.star
		if segment != "*" {
			next = b.names[segment]
		}
		if next == nil {
			next = &branch{names: map[string]*branch{}}
			if segment == "*" {
				b.star = next
			} else {
				b.names[segment] = next
			}
		}
		b = next
	}
	taken = b.entry != nil
	b.entry = e
	return taken
}

// match is where a path lies in the table: at or below an entry, or on the way
// to entries (entry is nil then).
type match struct {
	entry  *entry
	branch *branch
	// stars are the segments that the pattern's stars stood for.
	stars []string
	// fields are the segments below the entry.
	fields []string
}

// match finds the entry at or above a path.
func (c *Catalogue) match(path string) (match, bool) {
	m, ok := c.locate(path)
	return m, ok && m.entry != nil
}

// locate finds also paths that are only on the way to entries.
func (c *Catalogue) locate(path string) (match, bool) {
	if path == "" {
		return match{branch: c.root}, true
	}
	return c.root.locate(strings.Split(path, "/"), nil)
}

// locate prefers a name to a star, and goes back to the star when the name leads nowhere.
func (b *branch) locate(path, stars []string) (match, bool) {
	if b.entry != nil {
		return match{entry: b.entry, branch: b, stars: stars, fields: path}, true
	}
	if len(path) == 0 {
		return match{branch: b, stars: stars}, true
	}
	if next := b.names[path[0]]; next != nil {
		if m, ok := next.locate(path[1:], stars); ok {
			return m, true
		}
	}
	if b.star != nil {
		return b.star.locate(path[1:], append(stars[:len(stars):len(stars)], path[0]))
	}
	return match{}, false
}
