package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// A part of an import that one transaction does not hold.
const (
	partKeys  = 10_000
	partBytes = 1 << 20
)

// Source is what an import puts into etcd: the keys of a file, or a directory.
type Source struct {
	Pairs     []Pair
	Directory *Directory // if it is not nil, instead of Pairs
}

// Options say how.
type Options struct {
	// IfEmpty does nothing when the prefix holds a key.
	IfEmpty bool
	// Prune removes what the source does not have.
	Prune bool
	// Check is shown the whole change before any of it is made, and may refuse it. It may be nil, and called
	// again when others changed something meanwhile.
	Check func(*mapping.Tree, mapping.Plan) error
}

// Result is what an import did.
type Result struct {
	Written, Removed, Transactions int
	// Same is how many keys of a file were so already.
	Same int
}

// Import makes the prefix hold what the source says, in one transaction if that
// is not larger than etcd takes, else in several: then readers may see some before the
// others, and a failure leaves those that were made, which the Result tells of. A source with a value that is too large by itself changes nothing.
//
// Errors are those of cache.Direct.Commit, and Check's.
func Import(ctx context.Context, d *cache.Direct, source Source, o Options) (Result, error) {
	m := importing{direct: d, source: source, options: o, prefix: d.Settings().Prefix}
	scope := m.scope()
	revision, err := d.Commit(ctx, scope, m.edit)
	if mapping.KindOf(err) == mapping.TooLarge {
		return m.parts(ctx, scope)
	}
	if err != nil || revision == 0 {
		m.result.Written, m.result.Removed = 0, 0
		return m.result, err
	}
	m.result.Transactions = 1
	return m.result, nil
}

type importing struct {
	direct  *cache.Direct
	source  Source
	options Options
	prefix  string
	result  Result
}

func (m *importing) scope() cache.Scope {
	scope := cache.Scope{Keys: []string{m.prefix}}
	switch {
	case m.options.Prune || m.source.Directory != nil:
		scope.Under = []string{m.prefix}
		return scope
	case m.options.IfEmpty:
		scope.Present = scope.Keys
	}
	for i := range m.source.Pairs {
		scope.Keys = append(scope.Keys, m.source.Pairs[i].Key)
	}
	return scope
}

func (m *importing) edit(t *mapping.Tree) (mapping.Plan, error) {
	m.result = Result{}
	if m.options.IfEmpty && t.Keys() > 0 {
		return mapping.Plan{}, nil
	}
	plan, err := m.change()(t)
	if err == nil && m.options.Check != nil {
		err = m.options.Check(t, plan)
	}
	if err != nil || plan.Empty() {
		m.result.Same = len(m.source.Pairs)
		return mapping.Plan{}, err
	}
	if m.options.IfEmpty {
		plan.Absent = append(plan.Absent, m.prefix+"/")
		plan.Guards = append(plan.Guards, mapping.Guard{Key: m.prefix})
	}
	m.result.Written, m.result.Removed = len(plan.Puts), len(plan.Deletes)
	m.result.Same = max(0, len(m.source.Pairs)-len(plan.Puts))
	return plan, nil
}

func (m *importing) change() mapping.Edit {
	if m.source.Directory != nil {
		return m.source.Directory.Edit(m.options.Prune)
	}
	values := make([]mapping.Value, len(m.source.Pairs))
	for i, p := range m.source.Pairs {
		values[i] = mapping.Value{Key: p.Key, Bytes: p.Value, Meaning: p.Meaning}
	}
	return mapping.PutKeys(values, m.options.Prune)
}

// parts makes the change in several transactions.
func (m *importing) parts(ctx context.Context, scope cache.Scope) (Result, error) {
	tree, err := m.direct.Read(ctx, scope)
	if err != nil {
		return m.result, err
	}
	plan, err := m.edit(tree)
	result := m.result
	result.Written, result.Removed = 0, 0
	if err != nil {
		return result, err
	}
	for i := range plan.Puts {
		if put := &plan.Puts[i]; len(put.Key)+len(put.Value) > m.direct.RequestLimit() {
			return result, mapping.Errorf(mapping.TooLarge, "", "%s has %d bytes, and etcd takes %d in one request (--max-request-bytes): nothing was written",
				m.source.where(put.Key), len(put.Value), m.direct.RequestLimit())
		}
	}
	for puts, deletes := plan.Puts, plan.Deletes; len(puts)+len(deletes) > 0; {
		some := firstPart(puts)
		gone := deletes[:min(len(deletes), partKeys-len(some))]
		if len(some) < len(puts) {
			gone = nil
		}
		empty := m.options.IfEmpty && result.Transactions == 0
		if _, err := m.direct.Commit(ctx, partScope(m.prefix, some, gone, empty), part(m.prefix, some, gone, empty)); err != nil {
			return result, failed(err, fmt.Sprintf("after %d keys were written, with others missing", result.Written))
		}
		result.Transactions++
		result.Written += len(some)
		result.Removed += len(gone)
		puts, deletes = puts[len(some):], deletes[len(gone):]
	}
	return result, nil
}

func failed(err error, when string) error {
	return &mapping.Error{Kind: mapping.KindOf(err), Reason: when + ": " + err.Error(), Err: err}
}

func partScope(prefix string, puts []mapping.Put, deletes []string, empty bool) cache.Scope {
	scope := cache.Scope{Keys: slices.Clone(deletes)}
	for i := range puts {
		scope.Keys = append(scope.Keys, puts[i].Key)
	}
	if empty {
		scope.Keys, scope.Present = append(scope.Keys, prefix), []string{prefix}
	}
	return scope
}

// part plans a part of the whole change.
func part(prefix string, puts []mapping.Put, deletes []string, empty bool) mapping.Edit {
	values := make([]mapping.Value, len(puts))
	for i, put := range puts {
		values[i] = mapping.Value{Key: put.Key, Bytes: put.Value}
	}
	return func(t *mapping.Tree) (mapping.Plan, error) {
		if empty && t.Keys() > 0 {
			return mapping.Plan{}, mapping.Errorf(mapping.Busy, prefix, "is not empty any more: someone else wrote there")
		}
		plan, err := mapping.PutKeys(values, false)(t)
		for _, key := range deletes {
			if kv, ok := t.Get(key); ok {
				plan.Deletes = append(plan.Deletes, key)
				plan.Guards = append(plan.Guards, mapping.Guard{Key: key, ModRevision: kv.ModRevision})
			}
		}
		if empty {
			plan.Absent = append(plan.Absent, prefix+"/")
		}
		return plan, err
	}
}

func firstPart(puts []mapping.Put) []mapping.Put {
	size := 0
	for i := range puts {
		size += len(puts[i].Key) + len(puts[i].Value)
		if i > 0 && (i == partKeys || size > partBytes) {
			return puts[:i]
		}
	}
	return puts
}

// where says which part of the source has a key, for a person.
func (s *Source) where(key string) string {
	for i := range s.Pairs {
		if s.Pairs[i].Key == key {
			return fmt.Sprintf("line %d: the value of %s", s.Pairs[i].Line, quote(key))
		}
	}
	return "the value of " + quote(key)
}

// Line is the line of the file that has a key, 0 if there is none.
func (s *Source) Line(key string) int {
	for i := range s.Pairs {
		if s.Pairs[i].Key == key {
			return s.Pairs[i].Line
		}
	}
	return 0
}

// rangeOf selects prefix and all below it; keys such as prefix+"x" that lie
// between the two have to be left out by the reader.
func rangeOf(prefix string) []clientv3.OpOption {
	return []clientv3.OpOption{clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix + "/"))}
}

// refused gives etcd's refusal of what was being done its kind and words.
func refused(doing string, err error) error {
	kind, words := mapping.Other, err.Error()
	switch {
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		kind, words = mapping.Denied, "etcd does not let this user do that: grant the role, or give another --user"
	case errors.Is(err, context.DeadlineExceeded):
		kind, words = mapping.TimedOut, "etcd did not answer in time: is it up, and has it a leader? (--command-timeout waits longer)"
	}
	return &mapping.Error{Kind: kind, Reason: doing + ": " + words, Err: err}
}
