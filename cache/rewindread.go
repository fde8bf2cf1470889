package cache

import (
	"context"
	"slices"
	"strings"
	"sync"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// asking is how many requests are under way at a time: etcd reads for one while the answer to
	// another is taken in.
	asking = 3
	// countsEach and rangesEach are how many spans are counted, or read, in one request; etcd takes 128.
	countsEach = 16
	rangesEach = 100
	// keysEach and bytesEach bound what one request reads, as far as the newer tree tells.
	keysEach  = 4096
	bytesEach = pageBytes / 2
)

// count asks how many keys each span had.
func (r *rewind) count(ctx context.Context, spans []span) ([]int64, error) {
	counts := make([]int64, len(spans))
	requests := slices.Collect(slices.Chunk(spans, countsEach))
	err := inTurn(ctx, len(requests), func(ctx context.Context, n int) error {
		answers, err := r.ask(ctx, requests[n], true, 0)
		for i, answer := range answers {
			counts[n*countsEach+i] = answer.Count
		}
		return err
	})
	return counts, err
}

// read reads the spans that are to be read, and hands what they had other to take, in order of keys.
func (r *rewind) read(ctx context.Context, take func([]mapping.Change)) error {
	slices.SortFunc(r.reads, func(a, b span) int { return strings.Compare(a.start, b.start) })
	requests := batches(r.reads)
	found := make([]chan []mapping.Change, len(requests))
	for i := range found {
		found[i] = make(chan []mapping.Change, 1)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- inTurn(ctx, len(requests), func(ctx context.Context, n int) error {
			changes, err := r.difference(ctx, requests[n])
			if err == nil {
				found[n] <- changes
			}
			return err
		})
	}()
	for i := range found {
		select {
		case changes := <-found[i]:
			take(changes)
		case err := <-done:
			if err != nil {
				return err
			}
			done <- nil
			take(<-found[i])
		}
	}
	return <-done
}

// difference reads some spans, and returns what they had other.
func (r *rewind) difference(ctx context.Context, spans []span) ([]mapping.Change, error) {
	// What was there and is not any more may be much, or large.
	answers, err := r.ask(ctx, spans, false, 2*keysEach)
	if status.Code(err) == codes.ResourceExhausted {
		answers, err = make([]*pb.RangeResponse, len(spans)), nil
	}
	if err != nil {
		return nil, err
	}
	n := 0
	for _, answer := range answers {
		n += len(answer.GetKvs())
	}
	changes := make([]mapping.Change, 0, n)
	for i, s := range spans {
		if changes, err = r.compare(ctx, s, answers[i], changes); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// batches divides spans among requests.
func batches(spans []span) [][]span {
	var all [][]span
	var batch []span
	keys, bytes := 0, 0
	for _, s := range spans {
		size := s.bytes()
		for _, part := range s.cut(max(len(s.keys)/keysEach, size/bytesEach) + 1) {
			size := part.bytes()
			if len(batch) > 0 && (len(batch) == rangesEach || keys+len(part.keys) > keysEach || bytes+size > bytesEach) {
				all = append(all, batch)
				batch, keys, bytes = nil, 0, 0
			}
			batch, keys, bytes = append(batch, part), keys+len(part.keys), bytes+size
		}
	}
	if len(batch) > 0 {
		all = append(all, batch)
	}
	return all
}

func (s span) bytes() int {
	n := 0
	for i := range s.keys {
		n += len(s.keys[i].Key) + len(s.keys[i].Value)
	}
	return n
}

// ask asks for a count, or at most limit keys, of each span, in one request.
func (r *rewind) ask(ctx context.Context, spans []span, count bool, limit int64) ([]*pb.RangeResponse, error) {
	request := &pb.TxnRequest{Success: make([]*pb.RequestOp, len(spans))}
	for i, s := range spans {
		one := r.request(s)
		one.CountOnly, one.Limit = count, limit
		request.Success[i] = &pb.RequestOp{Request: &pb.RequestOp_RequestRange{RequestRange: one}}
	}
	response, err := r.c.kv.Txn(ctx, request, callOptions()...)
	if err != nil {
		// A compaction in the midst of it comes without its code (server, etcdserver/txn executeTxn).
		if strings.Contains(err.Error(), rpctypes.ErrorDesc(rpctypes.ErrGRPCCompacted)) {
			err = rpctypes.ErrGRPCCompacted
		}
		return nil, err
	}
	answers := make([]*pb.RangeResponse, 0, len(spans))
	for _, op := range response.Responses {
		answers = append(answers, op.GetResponseRange())
	}
	return answers, nil
}

func (r *rewind) request(s span) *pb.RangeRequest {
	request := &pb.RangeRequest{Key: []byte(s.start), Revision: r.revision}
	if s.end != "" {
		request.RangeEnd = []byte(s.end)
	}
	return request
}

// compare appends what a span had other than the newer tree. An answer that is nil, or not all, is
// gone on with page by page.
func (r *rewind) compare(ctx context.Context, s span, answer *pb.RangeResponse, changes []mapping.Change) ([]mapping.Change, error) {
	d := differing{rewind: r, keys: s.keys, changes: changes}
	if answer != nil {
		for _, kv := range answer.Kvs {
			d.add(kv.Key, mapping.KV{Value: kv.Value, CreateRevision: kv.CreateRevision, ModRevision: kv.ModRevision, Version: kv.Version, Lease: kv.Lease})
		}
	}
	if answer == nil || answer.More {
		request := r.request(s)
		if n := len(answer.GetKvs()); n > 0 {
			request.Key = append(answer.Kvs[n-1].Key, 0)
		}
		for p := range r.c.pages(ctx, request) {
			if p.err != nil {
				return nil, p.err
			}
			for i := range p.changes {
				d.add([]byte(p.changes[i].Key), p.changes[i].KV)
			}
		}
	}
	d.before(nil)
	return d.changes, nil
}

// differing compares the keys of a newer tree with those of a reading, both in order.
type differing struct {
	*rewind
	keys    []mapping.KV // that the reading has not passed
	changes []mapping.Change
}

// before notes that the reading has none of the keys before key, or none at all.
func (d *differing) before(key []byte) {
	for len(d.keys) > 0 && (key == nil || d.keys[0].Key < string(key)) {
		d.changes = append(d.changes, d.absent(d.keys[0].Key))
		d.keys = d.keys[1:]
	}
}

// add compares with the next key of the reading; then is what it was, with or without the key's name.
func (d *differing) add(key []byte, then mapping.KV) {
	d.before(key)
	if len(d.keys) > 0 && d.keys[0].Key == string(key) {
		now := &d.keys[0]
		d.keys = d.keys[1:]
		if same(now, &then) {
			return
		}
		then.Key = now.Key
	} else if then.Key = string(key); !d.c.mine(then.Key) {
		return
	}
	d.changes = append(d.changes, mapping.Change{KV: then})
}

// inTurn does n things, a few at a time, until one fails.
func inTurn(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var doing sync.WaitGroup
	for range min(asking, n) {
		doing.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	doing.Wait()
	return context.Cause(ctx)
}
