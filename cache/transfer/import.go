package transfer

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// A transaction of an import stays below etcd's default limits of 128
// operations and 1.5 MiB a request (etcd --max-txn-ops, --max-request-bytes).
const (
	pageKeys  = 100
	pageBytes = 1 << 20
)

// Import puts all pairs, in their order, in transactions of a page each: a
// reader may see some pages before the others, and an import that fails leaves
// the pages before. It returns the number of keys written.
//
// With onlyIfEmpty nothing is written when a key is there at prefix or below
// it: the first page compares, so that of two importers at once one writes.
func Import(ctx context.Context, client *clientv3.Client, prefix string, pairs []Pair, onlyIfEmpty bool) (written int, err error) {
	if onlyIfEmpty {
		response, err := client.Get(ctx, prefix, append(rangeOf(prefix), clientv3.WithCountOnly())...)
		if err != nil {
			return 0, refused("reading "+prefix, err)
		}
		if response.Count > 0 {
			return 0, nil
		}
	}
	for len(pairs) > 0 {
		page := firstPage(pairs)
		txn := client.Txn(ctx)
		if onlyIfEmpty && written == 0 {
			txn = txn.If(
				clientv3.Compare(clientv3.CreateRevision(prefix), "=", 0),
				clientv3.Compare(clientv3.CreateRevision(prefix+"/").WithPrefix(), "=", 0))
		}
		operations := make([]clientv3.Op, 0, len(page))
		for _, p := range page {
			operations = append(operations, clientv3.OpPut(p.Key, string(p.Value)))
		}
		response, err := txn.Then(operations...).Commit()
		if err != nil {
			return written, refused(fmt.Sprintf("line %d, %s, after %d keys were written", page[0].Line, quote(page[0].Key), written), err)
		}
		if !response.Succeeded {
			return 0, nil
		}
		written += len(page)
		pairs = pairs[len(page):]
	}
	return written, nil
}

func firstPage(pairs []Pair) []Pair {
	size := 0
	for i, p := range pairs {
		size += len(p.Key) + len(p.Value)
		if i > 0 && (i == pageKeys || size > pageBytes) {
			return pairs[:i]
		}
	}
	return pairs
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
	case errors.Is(err, rpctypes.ErrNoSpace):
		kind, words = mapping.NoSpace, "etcd's space quota is used up: compact and defragment it, then clear the alarm (etcdctl alarm disarm)"
	case errors.Is(err, rpctypes.ErrRequestTooLarge):
		kind, words = mapping.TooLarge, "the value is larger than etcd takes in one request (etcd --max-request-bytes)"
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		kind, words = mapping.Denied, "etcd does not let this user do that: grant the role, or give another --user"
	case errors.Is(err, context.DeadlineExceeded):
		kind, words = mapping.TimedOut, "etcd did not answer in time: is it up, and has it a leader? (--command-timeout waits longer)"
	}
	return &mapping.Error{Kind: kind, Reason: doing + ": " + words, Err: err}
}
