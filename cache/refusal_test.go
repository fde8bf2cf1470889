package cache

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// listen accepts connections and hands each to serve, which ends it.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	return l.Addr().String()
}

// TestUnsent holds the texts that unsent knows to what gRPC says: whether a
// transaction never left is not to be learned otherwise.
func TestUnsent(t *testing.T) {
	mute := listen(t, func(c net.Conn) {
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	for _, test := range []struct {
		name, addr string
		tls        bool
		want       bool
	}{
		{"nobody listens", "127.0.0.1:1", false, true},
		{"is no etcd", mute, false, true},
		{"does not speak TLS", listen(t, func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }), true, true},
		// An HTTP/2 server (its preface is an empty SETTINGS frame) that dies after the request.
		{"dies after the request", listen(t, func(c net.Conn) {
			c.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
			buffer := make([]byte, 4096)
			for seen := ""; !strings.Contains(seen, "a value to be seen"); {
				n, err := c.Read(buffer)
				if err != nil {
					return
				}
				seen += string(buffer[:n])
			}
		}), false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := clientv3.Config{Endpoints: []string{test.addr}, Logger: zap.NewNop()}
			if test.tls {
				config.TLS = &tls.Config{ServerName: "etcd"}
				config.Endpoints[0] = "https://" + test.addr
			}
			client, err := clientv3.New(config)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err = pb.NewKVClient(client.ActiveConnection()).Txn(ctx, &pb.TxnRequest{Success: []*pb.RequestOp{{
				Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte("k"), Value: []byte("a value to be seen")}},
			}}}, callOptions()...)
			if err == nil || unsent(err) != test.want || undecided(err) == test.want || !passing(err) {
				t.Errorf("%v: unsent %v, undecided %v, passing %v", err, unsent(err), undecided(err), passing(err))
			}
			t.Log(plain(err))
		})
	}
}

func TestRefusals(t *testing.T) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"127.0.0.1:1"}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := &Cache{client: client, prefix: "/ovs"}
	for _, test := range []struct {
		err       error
		move      bool
		want      mapping.Kind
		undecided bool
	}{
		{rpctypes.ErrGRPCPermissionDenied, false, mapping.Denied, false},
		{rpctypes.ErrGRPCAuthFailed, false, mapping.Denied, false},
		{rpctypes.ErrGRPCInvalidAuthToken, false, mapping.Denied, false},
		{rpctypes.ErrGRPCUserEmpty, false, mapping.Denied, false},
		{rpctypes.ErrGRPCNoSpace, false, mapping.NoSpace, false},
		{rpctypes.ErrGRPCRequestTooLarge, false, mapping.TooLarge, false},
		{rpctypes.ErrGRPCRequestTooLarge, true, mapping.MoveTooLarge, false},
		{rpctypes.ErrGRPCTooManyOps, true, mapping.MoveTooLarge, false},
		{rpctypes.ErrGRPCTooManyOps, false, mapping.TooLarge, false},
		{rpctypes.ErrGRPCRequestTooManyRequests, false, mapping.ReadOnly, false},
		{rpctypes.ErrGRPCTimeout, false, mapping.ReadOnly, true},
		{rpctypes.ErrGRPCLeaderChanged, false, mapping.ReadOnly, true},
		{rpctypes.ErrGRPCNoLeader, false, mapping.ReadOnly, true},
		{rpctypes.ErrGRPCStopped, false, mapping.ReadOnly, true},
		{context.DeadlineExceeded, false, mapping.ReadOnly, true},
		{context.Canceled, false, mapping.Canceled, true},
		{rpctypes.ErrGRPCCorrupt, false, mapping.Other, false},
		{errors.New("two\nlines"), false, mapping.Other, false},
	} {
		got := c.refusal(test.err, &mapping.Plan{Move: test.move})
		if mapping.KindOf(got) != test.want || undecided(test.err) != test.undecided || strings.Contains(got.Error(), "\n") {
			t.Errorf("%v became %q of kind %v (undecided %v), want %v (%v)", test.err, got, mapping.KindOf(got), undecided(test.err), test.want, test.undecided)
		}
		if !errors.Is(got, test.err) {
			t.Errorf("%v is not the cause of %v", test.err, got)
		}
	}
}
