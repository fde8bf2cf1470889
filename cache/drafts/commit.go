package drafts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// errTurn ends a commit that turns out to concern drafts, to be made again by
// the one that has the turn.
var errTurn = errors.New("concerns drafts")

// Commit makes an edit: what is whole goes to the inner store as one change, what
// is not stays here. When it returns nil, Tree shows it.
//
// Errors are those of the edit, the rules and the inner store; nothing was
// changed. Exists: the key of a draft that became whole is in etcd by now. The draft stays.
// Invalid: a key would lose what it cannot be without, in a change that does something else too.
func (s *Store) Commit(ctx context.Context, edit mapping.Edit) error {
	err := s.Inner.Commit(ctx, func(t *mapping.Tree) (mapping.Plan, error) {
		d, err := s.divide(t, edit)
		if err == nil && len(d.here) > 0 {
			err = errTurn
		}
		return d.stored, err
	})
	if !errors.Is(err, errTurn) {
		return err
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	var d division
	err = s.Inner.Commit(ctx, func(t *mapping.Tree) (plan mapping.Plan, err error) {
		if d, err = s.divide(t, edit); err != nil {
			return mapping.Plan{}, err
		}
		s.expect(&d.stored)
		return d.stored, nil
	})
	if err != nil {
		return err
	}
	s.change(d.here)
	return s.save()
}

// expect notes what is about to be stored, so that it takes its draft's place
// whenever it arrives.
func (s *Store) expect(plan *mapping.Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, put := range plan.Puts {
		if _, ok := s.over[put.Key]; ok {
			s.landing[put.Key] = put.Value
		}
	}
}

// division is an edit in two parts.
type division struct {
	stored mapping.Plan
	here   map[string]*entry // what becomes of entries of the overlay
}

// divide plans an edit on t with the drafts in it, and divides the plan.
func (s *Store) divide(t *mapping.Tree, edit mapping.Edit) (division, error) {
	s.mu.Lock()
	over := s.over
	shown := s.lookLocked(t)
	s.mu.Unlock()
	plan, err := edit(shown)
	if err != nil || plan.Empty() {
		return division{}, err
	}
	d := dividing{store: s, tree: t, over: over, plan: plan, division: division{stored: plan, here: map[string]*entry{}}}
	if err := d.divide(); err != nil {
		return division{}, err
	}
	if d.stored.Empty() {
		d.stored = mapping.Plan{}
	} else if d.stored, err = s.rules.Plan(t, d.stored); err != nil {
		return division{}, err
	}
	for key, e := range d.here {
		if e == nil || e.held {
			continue
		}
		if err := s.rules.Draft(t, key, over[key].value, e.value); err != nil {
			return division{}, err
		}
	}
	return d.division, nil
}

type dividing struct {
	division
	store *Store
	tree  *mapping.Tree
	over  overlay
	plan  mapping.Plan
	held  string // a key whose change is held
}

func (d *dividing) divide() error {
	d.stored.Puts = make([]mapping.Put, 0, len(d.plan.Puts))
	d.stored.Deletes, d.stored.DeleteRanges, d.stored.Guards = nil, nil, make([]mapping.Guard, 0, len(d.plan.Guards))
	for _, put := range d.plan.Puts {
		if err := d.put(put); err != nil {
			return err
		}
	}
	for _, key := range d.plan.Deletes {
		d.delete(key)
	}
	for _, r := range d.plan.DeleteRanges {
		d.deleteRange(r)
	}
	for _, g := range d.plan.Guards {
		if e, ok := d.over[g.Key]; ok && !e.held && !d.stores(g.Key) {
			continue // a draft that stays one
		}
		d.stored.Guards = append(d.stored.Guards, g)
	}
	if d.held != "" && (!d.stored.Empty() || d.plan.Merged) {
		path, _ := d.tree.PathOf(d.held)
		return mapping.Errorf(mapping.Invalid, path, "cannot be without %s", d.store.rules.Lacks(d.here[d.held].value))
	}
	return nil
}

func (d *dividing) stores(key string) bool {
	return slices.ContainsFunc(d.stored.Puts, func(p mapping.Put) bool { return p.Key == key })
}

func (d *dividing) put(put mapping.Put) error {
	e, here := d.over[put.Key]
	draft := here && !e.held
	if d.store.rules.Whole(d.tree, put.Key, put.Value) {
		if draft {
			if _, stored := d.tree.Get(put.Key); stored {
				path, _ := d.tree.PathOf(put.Key)
				return mapping.Errorf(mapping.Exists, path, "was made by someone else meanwhile: the draft stays on this mount; give it another name (mv), or remove it to see what is there")
			}
		}
		d.stored.Puts = append(d.stored.Puts, put)
		if here {
			d.here[put.Key] = nil
		}
		return nil
	}
	kv, stored := d.tree.Get(put.Key)
	if draft || !stored {
		d.here[put.Key] = &entry{value: put.Value}
		return nil
	}
	base := kv
	if here {
		base = e.base
	}
	d.held = put.Key
	d.here[put.Key] = &entry{value: put.Value, base: base, held: true, touched: time.Now()}
	return nil
}

// delete of a draft is nobody else's business. What is held goes for good.
func (d *dividing) delete(key string) {
	e, here := d.over[key]
	if here {
		d.here[key] = nil
	}
	if !here || e.held {
		d.stored.Deletes = append(d.stored.Deletes, key)
	}
}

func (d *dividing) deleteRange(r mapping.Range) {
	for key, e := range d.over {
		if !strings.HasPrefix(key, r.Prefix) {
			continue
		}
		d.here[key] = nil
		if _, stored := d.tree.Get(key); !stored {
			r.Count--
		} else if !e.held {
			// It hides what is stored there, which nobody meant.
			r.Count = -1
			break
		}
	}
	if r.Count > 0 {
		d.stored.DeleteRanges = append(d.stored.DeleteRanges, r)
	}
}
