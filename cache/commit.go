package cache

import (
	"context"
	"errors"
	"slices"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/protobuf/proto"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// mostTries bounds how often an edit is made again because of others.
	mostTries = 100
	// requestOverhead is what etcd adds to a transaction before it looks at the size of the
	// request (etcdserverpb.InternalRaftRequest), without the name of the user.
	requestOverhead = 64
	// answerWithin is how long a transaction may take before its outcome is looked
	// up, if the deadline leaves the time.
	answerWithin = 5 * time.Second
)

// Commit makes an edit: it is planned on the shown tree and sent as one transaction, and both again on
// a newer tree when somebody else changed what it read. When it returns nil, Tree
// shows the change. A plan that is empty is success, and nothing is sent.
//
// Errors are *mapping.Error, and nothing was changed unless said: the edit's own; ReadOnly
// when etcd is out of reach; TooLarge, or MoveTooLarge for a move, over the request limit;
// NoSpace; Denied; Busy when others kept changing the same for 100 tries, when the plan
// does not fit the tree it was made on, or when keys of a large directory vanished while
// it was moved or removed (the rest was); Canceled; TimedOut when it was sent and ctx
// ended (15 s if it has no deadline) before it became known whether it counts, or before
// it is shown here.
func (c *Cache) Commit(ctx context.Context, edit mapping.Edit) error {
	ctx, done := c.bounded(ctx)
	defer done()
	commit := commit{cache: c, edit: edit}
	defer commit.end()
	for range mostTries {
		finished, err := commit.try(ctx)
		if finished || err != nil {
			return err
		}
	}
	return tooManyTries()
}

func tooManyTries() error {
	return mapping.Errorf(mapping.Busy, "", "others changed the same %d times in a row: try again", mostTries)
}

// unfit: nothing happened between planning and comparing, so that no newer tree will do.
func unfit(revision int64) error {
	return mapping.Errorf(mapping.Busy, "", "the change does not fit what is stored at revision %d: look again at what is there", revision)
}

// unknown is the error of a change whose outcome could not be learned.
func unknown(cause error) error {
	return refuse(mapping.TimedOut, cause, "the change was sent to etcd, and it could not be learned whether it was made (%s): look again when etcd is back", plain(cause))
}

// request is the transaction of a plan, if etcd can take it.
// With tight, it has no compares but those that it must have.
func (c *Cache) request(plan *mapping.Plan, tree *mapping.Tree, tight bool) (*transaction, error) {
	limit := c.limit - requestOverhead - len(c.client.Username)
	if tight {
		limit = 0
	}
	t, ok := newTransaction(plan, tree, limit)
	if !ok || !t.within(c.limit-requestOverhead-len(c.client.Username)) {
		size := proto.Size(t.request) + requestOverhead + len(c.client.Username)
		return nil, mapping.Errorf(tooLarge(plan), "", "the change makes a request of %d bytes, and etcd takes %d (its --max-request-bytes): make it smaller, or do it in parts", size, c.limit)
	}
	return t, nil
}

// commit is one call of Commit.
type commit struct {
	cache *Cache
	edit  mapping.Edit
	turn  bool       // has the turn of commits that met a conflict
	lost  []*attempt // attempts whose answer was lost, and that were not seen
	tight bool       // no room for checks: the server takes less than this mount's limit
}

// try makes the edit once. It reports true when the change is made and shown, and
// false when it has to be tried again.
func (m *commit) try(ctx context.Context) (bool, error) {
	c := m.cache
	a := &attempt{}
	tree, made := m.begin(a)
	if made {
		return true, nil
	}
	plan, err := m.edit(tree)
	if err != nil || plan.Empty() {
		return true, err
	}
	a.plan = plan
	if err := c.Writable(); err != nil {
		return true, err
	}
	if err := ctx.Err(); err != nil {
		return true, c.unreachable(err)
	}
	t, err := c.request(&plan, tree, m.tight)
	if err != nil {
		return true, err
	}

	m.register(a)
	response, err := c.send(ctx, t.request)
	if err != nil && undecided(err) {
		return m.lookUp(ctx, a, err)
	}
	m.unregister(a)
	switch {
	case errors.Is(rpctypes.Error(err), rpctypes.ErrLeaseNotFound), errors.Is(rpctypes.Error(err), rpctypes.ErrTooManyRequests):
		// An expired lease takes its keys with it, which the next tree shows.
		return false, c.pause(ctx)
	case t.checks && errors.Is(rpctypes.Error(err), rpctypes.ErrFutureRev):
		return m.checked(ctx, a)
	case c.tooTight(t, err):
		m.tight = true
		return false, nil
	case err != nil && unsent(err) && ctx.Err() == nil:
		// A short break is waited for; a longer one ends in ReadOnly.
		c.client.ActiveConnection().ResetConnectBackoff()
		return false, c.pause(ctx)
	case err != nil:
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return true, c.refusal(err, &plan)
	case c.foreign(response.Header.ClusterId):
		// The address leads to another cluster: its revisions mean nothing until it was read.
		ask(c.following.reread)
		if err := c.awaitShownIn(ctx, response.Header.Revision, a.epoch+1, true); err != nil {
			return true, refuse(mapping.TimedOut, err, "the change went to another etcd cluster than is shown, which could not be read in time: look again")
		}
		return response.Succeeded, nil
	case !response.Succeeded && lockLost(&plan, response) != nil:
		return true, lockLost(&plan, response)
	case !response.Succeeded && response.Header.Revision == a.base:
		return true, unfit(a.base)
	case !response.Succeeded:
		return false, m.conflict(ctx, response.Header.Revision)
	}
	return true, m.shown(ctx, a, t, response)
}

// checked waits for the tree that shows why a check failed. Its answer tells no revision.
func (m *commit) checked(ctx context.Context, a *attempt) (bool, error) {
	revision, err := m.cache.newest(ctx)
	switch {
	case err != nil:
		return true, err
	case revision == a.base:
		return true, unfit(a.base)
	}
	return false, m.conflict(ctx, revision)
}

// begin returns the tree to plan on, and whether an attempt whose answer was
// lost turned out to be made after all.
func (m *commit) begin(a *attempt) (*mapping.Tree, bool) {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, lost := range m.lost {
		if lost.seen != 0 {
			return nil, true
		}
	}
	tree := c.Tree()
	a.epoch, a.base = c.epoch, tree.Revision()
	return tree, false
}

func (m *commit) register(a *attempt) {
	m.cache.mu.Lock()
	defer m.cache.mu.Unlock()
	// Between planning and now revisions were shown that cannot be this attempt.
	m.cache.pending = append(m.cache.pending, a)
}

func (m *commit) unregister(gone ...*attempt) {
	m.cache.mu.Lock()
	defer m.cache.mu.Unlock()
	m.cache.pending = slices.DeleteFunc(m.cache.pending, func(a *attempt) bool { return slices.Contains(gone, a) })
}

// end gives back what the commit holds.
func (m *commit) end() {
	if len(m.lost) > 0 {
		m.unregister(m.lost...)
	}
	if m.turn {
		<-m.cache.contended
	}
}

// send sends a transaction once. It leaves half of the time there is to look
// up the outcome.
func (c *Cache) send(ctx context.Context, request *pb.TxnRequest) (*pb.TxnResponse, error) {
	within := answerWithin
	if deadline, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(deadline)/2)
	}
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	response, err := c.kv.Txn(bounded, request, callOptions()...)
	if err == nil {
		c.contact.answered(time.Now())
	}
	return response, err
}

// shown waits until the tree shows the revision of a transaction that succeeded.
func (m *commit) shown(ctx context.Context, a *attempt, t *transaction, response *pb.TxnResponse) error {
	c := m.cache
	revision := response.Header.Revision
	_, changed := t.deleted(&a.plan, response)
	if !changed || !c.applyOwn(revision, a.epoch, a) {
		await := c.awaitShown
		if c.watches(&a.plan) {
			await = c.awaitOwn
		}
		if err := await(ctx, revision); err != nil {
			return refuse(mapping.TimedOut, err, "the change is stored in etcd as revision %d, but this mount does not show it yet", revision)
		}
	}
	return c.vanished(&a.plan, t, response)
}

// watches reports whether a plan that was carried out certainly changed a watched key.
func (c *Cache) watches(plan *mapping.Plan) bool {
	return slices.ContainsFunc(plan.Puts, func(p mapping.Put) bool { return c.mine(p.Key) })
}

// vanished tells of keys of a range that were to be deleted and had gone by themselves.
func (c *Cache) vanished(plan *mapping.Plan, t *transaction, response *pb.TxnResponse) error {
	ranges, _ := t.deleted(plan, response)
	for i, deleted := range ranges {
		if r := &plan.DeleteRanges[i]; deleted != r.Count {
			c.logger.Warn("keys vanished while their directory was changed", "prefix", r.Prefix, "expected", r.Count, "found", deleted, "revision", response.Header.Revision)
			return mapping.Errorf(mapping.Busy, r.Prefix, "%d of %d keys were removed by someone else at the same time; the rest was changed as asked, look at what is there now", r.Count-deleted, r.Count)
		}
	}
	return nil
}

// conflict waits for the tree that shows why a compare failed. From the first one on, the
// commits of this mount that meet conflicts go one after the other, so that they do not
// overtake each other without end.
func (m *commit) conflict(ctx context.Context, revision int64) error {
	c := m.cache
	if !m.turn {
		select {
		case c.contended <- struct{}{}:
			m.turn = true
		case <-ctx.Done():
			return c.unreachable(ctx.Err())
		}
	}
	if err := c.awaitShown(ctx, revision); err != nil {
		return c.unreachable(err)
	}
	return nil
}

// pause waits a moment before a try that needs etcd to have moved on.
func (c *Cache) pause(ctx context.Context) error {
	select {
	case <-time.After(retryPause):
		return nil
	case <-ctx.Done():
		return c.unreachable(ctx.Err())
	}
}

// lookUp finds out whether an attempt was carried out whose answer was lost. It
// reports false when it was not, to be tried again.
func (m *commit) lookUp(ctx context.Context, a *attempt, cause error) (bool, error) {
	c := m.cache
	m.lost = append(m.lost, a)
	c.logger.Info("the answer of a change was lost, looking up its outcome", "error", plain(cause))
	revision, err := c.newest(ctx)
	if err == nil {
		err = c.awaitShown(ctx, revision)
	}
	c.mu.Lock()
	made := a.seen != 0 || err == nil && a.reread && a.holds(c.Tree())
	c.mu.Unlock()
	switch {
	case made:
		return true, nil
	case err != nil:
		return true, unknown(cause)
	}
	return false, nil
}
