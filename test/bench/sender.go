package main

import (
	"context"
	"errors"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

// A sender makes the very transactions that a mount makes, as a bare client: a cache
// plans them, and what it would send is taken from it and sent apart.
type sender struct {
	client *clientv3.Client
	cache  *cache.Cache
	bare   pb.KVClient
	taken  *pb.TxnRequest
}

func (l *lab) openSender(ctx context.Context, prefix string) (*sender, error) {
	s := &sender{bare: pb.NewKVClient(l.client.ActiveConnection())}
	take := func(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
		if txn, ok := request.(*pb.TxnRequest); ok {
			s.taken = txn
			return status.Error(codes.PermissionDenied, "taken, not sent")
		}
		return invoke(ctx, method, request, reply, cc, o...)
	}
	var err error
	s.client, err = clientv3.New(clientv3.Config{Endpoints: []string{l.endpoint}, DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(take)}})
	if err != nil {
		return nil, err
	}
	s.cache, err = cache.Open(ctx, cache.Options{Client: s.client, Settings: mapping.Settings{Prefix: prefix}})
	if err != nil {
		return nil, errors.Join(err, s.client.Close())
	}
	return s, nil
}

func (s *sender) close() {
	s.cache.Close()
	_ = s.client.Close()
}

// move returns the seconds that the transaction of a rename takes.
func (s *sender) move(ctx context.Context, from, to string) (float64, error) {
	if _, err := s.cache.Barrier(ctx); err != nil {
		return 0, err
	}
	s.taken = nil
	err := s.cache.Commit(ctx, mapping.Rename(from, to, 0))
	if s.taken == nil {
		return 0, errors.Join(errors.New("the rename made no transaction"), err)
	}
	return stopwatch(func() error {
		answer, err := s.bare.Txn(ctx, s.taken)
		if err == nil && !answer.Succeeded {
			err = errors.New("the bare move met a change that nobody made")
		}
		return err
	})
}
