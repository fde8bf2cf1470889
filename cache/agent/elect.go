package agent

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// errLost is the cause of the end of a term whose election was lost.
var errLost = errors.New("the election was lost: another agent may act now")

// electionRoot is where agents stand for election, outside the prefix that is
// shown: below it the prefix, what is served, and the lease of each who stands.
const electionRoot = "/ovscfgfs/agents"

// election is what the agents of one name compete for.
type election struct {
	client *clientv3.Client
	key    string
	// ttl is how long after the last sign of life another one may act, in seconds.
	ttl    int
	before *predecessor
	logger *slog.Logger
}

// hold calls lead each time that the election is won, until ctx ends. The
// context of a term ends with ctx or, with the cause errLost, when the election
// is lost. fence is the guard of all that is written in that term.
//
// An error is one that lead returned while its term went on.
func (e *election) hold(ctx context.Context, lead func(term context.Context, fence mapping.Guard) error) error {
	defer e.before.close()
	var last clientv3.LeaseID
	for ctx.Err() == nil {
		// Their keys would have us wait for their end.
		for _, lease := range []clientv3.LeaseID{last, e.before.dead()} {
			if lease != 0 {
				e.revoke(ctx, lease)
			}
		}
		lease, err := e.term(ctx, lead)
		last = lease
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !errors.Is(err, errLost) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second/2 + rand.N(time.Second/2)):
		}
	}
	return nil
}

// term stands for election once. Every failure to win is errLost.
func (e *election) term(ctx context.Context, lead func(context.Context, mapping.Guard) error) (clientv3.LeaseID, error) {
	granted, err := e.client.Grant(ctx, int64(e.ttl))
	if err != nil {
		e.logger.Warn("etcd gives no lease: trying again", "error", err)
		return 0, errLost
	}
	e.before.holds(granted.ID)
	session, err := concurrency.NewSession(e.client, concurrency.WithTTL(e.ttl), concurrency.WithLease(granted.ID))
	if err != nil {
		return granted.ID, errLost
	}
	defer func() {
		session.Orphan()
		e.revoke(ctx, granted.ID)
	}()
	won := concurrency.NewElection(session, e.key)
	standing, give := context.WithCancel(session.Ctx())
	defer give()
	defer context.AfterFunc(ctx, give)()
	e.logger.Info("standing for election", "key", e.key)
	if err := won.Campaign(standing, ""); err != nil {
		return granted.ID, errLost
	}
	e.logger.Info("elected", "key", won.Key())
	term, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(session.Ctx(), func() { end(errLost) })()
	err = lead(term, mapping.Guard{Key: won.Key(), ModRevision: won.Rev()})
	if context.Cause(term) == errLost {
		e.logger.Warn("the election was lost")
		err = errLost
	}
	return granted.ID, err
}

// revoke gives a lease back, also when ctx has ended.
func (e *election) revoke(ctx context.Context, lease clientv3.LeaseID) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, _ = e.client.Revoke(bounded, lease) // else it expires
}
