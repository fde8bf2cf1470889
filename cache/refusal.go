package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// passing reports whether a request that failed so may succeed later: etcd did
// not answer, or was not able to at the time.
func passing(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true
	}
	known := rpctypes.Error(err)
	return errors.Is(known, rpctypes.ErrNotLeader) || errors.Is(known, rpctypes.ErrTooManyRequests)
}

// unsent reports whether err says that a request never left this process: there was no
// connection. The texts are those of gRPC-Go's transport
// (internal/transport/http2_client.go), which gives them no code of their own; one that it
// does not know only costs a look-up of the outcome. TestUnsent holds it to the version in
// use.
func unsent(err error) bool {
	if status.Code(err) != codes.Unavailable {
		return false
	}
	text := status.Convert(err).Message()
	for _, sign := range []string{"Error while dialing", "authentication handshake failed", "error reading server preface", "there is no connection available", "there is no address available"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// undecided reports whether a transaction that failed so may have been carried out.
func undecided(err error) bool {
	if errors.Is(rpctypes.Error(err), rpctypes.ErrTooManyRequests) {
		return false // refused before it was proposed
	}
	return passing(err) && !unsent(err)
}

// refusal turns an error by which etcd refused a request into words. plan is
// what was asked for, nil for a read.
func (c *Cache) refusal(err error, plan *mapping.Plan) error {
	known := rpctypes.Error(err)
	switch {
	case errors.Is(known, rpctypes.ErrPermissionDenied):
		if plan == nil {
			return refuse(mapping.Denied, err, "etcd does not let user %q read %s: grant the role read permission on it", c.client.Username, c.prefix)
		}
		return refuse(mapping.Denied, err, "etcd does not let user %q write there: grant the role write permission under %s", c.client.Username, c.prefix)
	case errors.Is(known, rpctypes.ErrUserEmpty):
		return refuse(mapping.Denied, err, "etcd asks for a user: give --user and a password")
	case errors.Is(known, rpctypes.ErrAuthFailed), errors.Is(known, rpctypes.ErrInvalidAuthToken), errors.Is(known, rpctypes.ErrUserNotFound):
		return refuse(mapping.Denied, err, "etcd does not accept user %q with this password", c.client.Username)
	case errors.Is(known, rpctypes.ErrNoSpace):
		return refuse(mapping.NoSpace, err, "etcd's space quota is used up: compact and defragment it, then disarm the alarm (etcdctl alarm disarm)")
	case errors.Is(known, rpctypes.ErrRequestTooLarge), errors.Is(known, rpctypes.ErrTooManyOps),
		status.Code(err) == codes.ResourceExhausted && strings.Contains(err.Error(), "larger than max"):
		return refuse(tooLarge(plan), err, "etcd refuses the change as too large (%s): make it smaller, or raise --max-request-bytes and --max-txn-ops of the servers", plain(err))
	case passing(err):
		return c.unreachable(err)
	}
	return refuse(mapping.Other, err, "etcd refused: %s", plain(err))
}

func tooLarge(plan *mapping.Plan) mapping.Kind {
	if plan != nil && plan.Move {
		return mapping.MoveTooLarge
	}
	return mapping.TooLarge
}

// refuse is an error in words, with its cause for logs.
func refuse(kind mapping.Kind, cause error, format string, args ...any) error {
	return &mapping.Error{Kind: kind, Reason: fmt.Sprintf(format, args...), Err: cause}
}

// unreachable is the error of a request that was given up without a change.
func (c *Cache) unreachable(err error) error {
	if canceled(err) {
		return refuse(mapping.Canceled, err, "given up before anything was changed: the caller does not wait any more")
	}
	return refuse(mapping.ReadOnly, err, "etcd at %s does not answer (%s): check that it runs, and that the addresses and certificates are right",
		c.addresses(), plain(err))
}

func canceled(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}

// addresses names the servers for a person.
func (c *Cache) addresses() string { return strings.Join(c.client.Endpoints(), ",") }

// plain is an error without the decoration of gRPC, on one line.
func plain(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded {
		return "no answer in time"
	}
	text := rpctypes.ErrorDesc(err)
	if _, inner, found := strings.Cut(text, `desc = "`); found {
		text = strings.TrimSuffix(inner, `"`)
	}
	return strings.ReplaceAll(text, "\n", " ")
}
