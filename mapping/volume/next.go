package volume

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// next is the request that an act makes of the newest one, if there is one, and of
// the status. It is nil when nothing is asked for; remove takes the newest one away.
func (a *act) next(last *Request, status *Status) (next *Request, remove bool) {
	pending := isPending(last, status)
	next = &Request{Generation: 1}
	if last != nil {
		next.Generation = last.Generation + 1
	}
	if status != nil && status.Generation >= next.Generation {
		next.Generation = status.Generation + 1
	}
	switch {
	case a.creates && pending && last.Action == Delete:
		// Nobody has begun to delete it: it is what it was, with what differs from that.
		next.change(fold(last.Changed, a.is.all(false), a.is.names))
	case a.creates:
		next.create(a.is)
	case a.deletes && pending && isCreation(last.Action) && status == nil:
		return nil, true
	case a.deletes:
		next.Action, next.Changed = Delete, a.was.all(true)
		if pending && !isCreation(last.Action) {
			// Where it is now, not where it was to be.
			next.Changed = fold(last.Changed, next.Changed, a.was.names)
		}
	default:
		changed := changes(a.was, a.is)
		if len(changed) == 0 {
			return nil, false
		}
		if pending && isCreation(last.Action) {
			next.create(a.is)
			break
		}
		if pending {
			changed = fold(last.Changed, changed, a.is.names)
		}
		next.change(changed)
	}
	return next, false
}

// isPending reports whether nobody has taken a request up.
func isPending(last *Request, status *Status) bool {
	return last != nil && (status == nil || status.Generation < last.Generation)
}

func isCreation(a Action) bool { return a == Create || a == Clone }

func (r *Request) create(c config) {
	r.Action, r.Changed = Create, c.all(false)
	if c.text(fieldParent) != "" {
		r.Action = Clone
	}
}

func (r *Request) change(changed []Change) {
	r.Action, r.Changed = Update, changed
	if slices.ContainsFunc(changed, func(c Change) bool { return c.Name == fieldRouter }) {
		r.Action = Migrate
	}
}

// fold makes one list of two: from the first old value to the last new one, in
// the order of names. What ends as it began is no change.
func fold(first, then []Change, names []string) []Change {
	folded := slices.Clone(first)
	for _, c := range then {
		if i := slices.IndexFunc(folded, func(f Change) bool { return f.Name == c.Name }); i >= 0 {
			folded[i].New = c.New
		} else {
			folded = append(folded, c)
		}
	}
	folded = slices.DeleteFunc(folded, func(c Change) bool { return reflect.DeepEqual(c.Old, c.New) })
	place := func(c Change) int {
		if i := slices.Index(names, c.Name); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(folded, func(a, b Change) int { return place(a) - place(b) })
	return folded
}

// requestAt and statusAt read what is at a key, nil if nothing is.
func requestAt(t *mapping.Tree, key string) *Request {
	r := new(Request)
	if !decodeAt(t, key, r) {
		return nil
	}
	return r
}

func statusAt(t *mapping.Tree, key string) *Status {
	if _, ok := t.Get(key); !ok {
		return nil
	}
	s := new(Status)
	if !decodeAt(t, key, s) {
		return new(Status) // there is one, whatever it says
	}
	return s
}

func decodeAt(t *mapping.Tree, key string, into any) bool {
	kv, ok := t.Get(key)
	return ok && readJSON(kv.Value, into)
}

func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil // it is made of what JSON has
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
