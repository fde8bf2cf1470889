package cache

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/protobuf/proto"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Direct reads and changes parts of a prefix, for a program that is there for
// one act. Unlike a Cache it has no copy of the rest, follows nothing and has
// nothing to close. Its methods may be called concurrently.
type Direct struct {
	c     *Cache // which was never loaded
	empty *mapping.Tree
}

// NewDirect makes ready what Open would load. Now, LostAfter and Publish have no meaning.
//
// Errors: Invalid for settings that make no tree.
func NewDirect(options Options) (*Direct, error) {
	c, empty, err := newCache(options)
	if err != nil {
		return nil, err
	}
	return &Direct{c: c, empty: empty}, nil
}

// Settings are those that it was made with.
func (d *Direct) Settings() mapping.Settings { return d.empty.Settings() }

// RequestLimit is the size of the largest request that etcd is sent.
func (d *Direct) RequestLimit() int { return d.c.limit }

// Scope is what of a prefix is read: few requests, and nothing besides.
type Scope struct {
	// Keys are read if they are there.
	Keys []string
	// Present are directories of keys of which it matters only that they are: one key of each is read.
	Present []string
	// Names are directories of which the names are wanted: the keys directly in them, and one below each
	// directory in them.
	Names []string
	// Under are directories that are read with all that is below them. The directory's own value is one of Keys.
	Under []string
}

// Read returns a tree of the scope at one revision, the newest.
//
// Errors are those of Open.
func (d *Direct) Read(ctx context.Context, scope Scope) (*mapping.Tree, error) {
	ctx, done := d.c.bounded(ctx)
	defer done()
	var tree *mapping.Tree
	read := func() (err error) {
		tree, err = d.read(ctx, scope)
		return err
	}
	err := d.c.untilRead(ctx, read)
	if mapping.KindOf(err) == mapping.Denied && slices.Contains(scope.Keys, d.c.prefix) {
		// A role for `prefix/` alone does not see a value of the prefix itself.
		scope.Keys = slices.DeleteFunc(slices.Clone(scope.Keys), func(key string) bool { return key == d.c.prefix })
		err = d.c.untilRead(ctx, read)
	}
	return tree, err
}

func (d *Direct) read(ctx context.Context, scope Scope) (*mapping.Tree, error) {
	r := reading{c: d.c, tree: d.empty, seen: d.c.now()}
	var few []*pb.RangeRequest
	for _, key := range scope.Keys {
		few = append(few, &pb.RangeRequest{Key: []byte(key)})
	}
	for _, key := range scope.Present {
		few = append(few, &pb.RangeRequest{Key: []byte(key + "/"), RangeEnd: []byte(key + "0"), Limit: 1})
	}
	for some := range slices.Chunk(few, maxTxnOps) {
		if err := r.atOnce(ctx, some); err != nil {
			return nil, err
		}
	}
	for _, key := range scope.Names {
		if err := r.names(ctx, key); err != nil {
			return nil, err
		}
	}
	for _, key := range scope.Under {
		request := &pb.RangeRequest{Key: []byte(key + "/"), RangeEnd: []byte(key + "0"), Revision: r.revision}
		for p := range d.c.pages(ctx, request) {
			if p.err != nil {
				return nil, p.err
			}
			r.take(p.revision, p.changes)
		}
	}
	return r.tree, nil
}

// reading is one Read: what it has, and the revision that its first answer had.
type reading struct {
	c        *Cache
	tree     *mapping.Tree
	revision int64
	seen     time.Time
}

func (r *reading) take(revision int64, changes []mapping.Change) {
	if r.revision == 0 {
		r.revision = revision
	}
	r.tree, _ = r.tree.Apply(r.revision, r.seen, changes)
}

// atOnce reads several ranges in one request.
func (r *reading) atOnce(ctx context.Context, ranges []*pb.RangeRequest) error {
	request := &pb.TxnRequest{}
	for _, one := range ranges {
		one.Revision = r.revision
		request.Success = append(request.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: one}})
	}
	response, err := r.c.kv.Txn(ctx, request, callOptions()...)
	if err != nil {
		return err
	}
	var changes []mapping.Change
	for _, one := range response.Responses {
		changes = append(changes, r.c.changes(one.GetResponseRange())...)
	}
	// A page is in key order, without repetition.
	slices.SortFunc(changes, func(a, b mapping.Change) int { return strings.Compare(a.Key, b.Key) })
	changes = slices.CompactFunc(changes, func(a, b mapping.Change) bool { return a.Key == b.Key })
	r.take(response.Header.Revision, changes)
	return nil
}

// fewNames is how many keys are asked for where most of them may be below one name.
const fewNames = 32

// names reads what tells the names in a directory, and passes over what is below them.
func (r *reading) names(ctx context.Context, dir string) error {
	request := &pb.RangeRequest{Key: []byte(dir + "/"), RangeEnd: []byte(dir + "0"), Limit: fewNames}
	for {
		request.Revision = r.revision
		response, err := r.c.kv.Range(ctx, request, callOptions()...)
		if err != nil {
			return err
		}
		all := r.c.changes(response)
		named := all[:0:0]
		next, below := "", ""
		for _, change := range all {
			if below != "" && strings.HasPrefix(change.Key, below) {
				continue
			}
			named = append(named, change)
			next = change.Key + "\x00"
			if i := strings.IndexByte(change.Key[len(dir)+1:], '/'); i >= 0 {
				child := change.Key[:len(dir)+1+i]
				below, next = child+"/", child+"0"
			}
		}
		r.take(response.Header.Revision, named)
		if !response.More || len(all) == 0 {
			return nil
		}
		request.Key = []byte(next)
		if request.Limit = fewNames; 2*len(named) > len(all) {
			perKey := max(1, proto.Size(response)/len(all))
			request.Limit = int64(max(fewNames, min(4*len(all), mostPageKeys, pageBytes/perKey)))
		}
	}
}

// Commit makes an edit as Cache.Commit does, on a tree of the scope, which has to hold all that the edit
// looks at and changes. It returns the revision, 0 if there was nothing to change.
//
// Errors are those of Cache.Commit, with the same promise.
func (d *Direct) Commit(ctx context.Context, scope Scope, edit mapping.Edit) (revision int64, err error) {
	ctx, done := d.c.bounded(ctx)
	defer done()
	var refused int64 // the revision at which a check failed last
	tight := false
	for range mostTries {
		tree, err := d.Read(ctx, scope)
		if err != nil {
			return 0, err
		}
		plan, err := edit(tree)
		if err != nil || plan.Empty() {
			return 0, err
		}
		t, err := d.c.request(&plan, tree, tight)
		if err != nil {
			return 0, err
		}
		response, err := d.c.send(ctx, t.request)
		switch known := rpctypes.Error(err); {
		case err != nil && undecided(err):
			if revision, err = d.lookUp(ctx, scope, &attempt{plan: plan, base: tree.Revision()}, err); revision > 0 || err != nil {
				return revision, err
			}
		case errors.Is(known, rpctypes.ErrLeaseNotFound), errors.Is(known, rpctypes.ErrTooManyRequests), err != nil && unsent(err) && ctx.Err() == nil:
			if err := d.c.pause(ctx); err != nil {
				return 0, err
			}
		case t.checks && errors.Is(known, rpctypes.ErrFutureRev):
			if tree.Revision() == refused {
				return 0, unfit(refused)
			}
			refused = tree.Revision()
		case d.c.tooTight(t, err):
			tight = true
		case err != nil:
			return 0, d.c.refusal(err, &plan)
		case response.Succeeded:
			return response.Header.Revision, d.c.vanished(&plan, t, response)
		case response.Header.Revision == tree.Revision():
			return 0, unfit(tree.Revision())
		}
	}
	return 0, tooManyTries()
}

// lookUp finds out whether an attempt whose answer was lost was carried out: 0 if not.
func (d *Direct) lookUp(ctx context.Context, scope Scope, a *attempt, cause error) (revision int64, err error) {
	tree, err := d.Read(ctx, scope)
	switch {
	case err != nil:
		return 0, unknown(cause)
	case a.holds(tree):
		return tree.Revision(), nil
	}
	return 0, nil
}
