package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// probeTime bounds one look at one endpoint, after the client has failed.
const probeTime = 5 * time.Second

// explain turns a client's failure into words. gRPC reports most of them as
// "context deadline exceeded", so the endpoints are looked at one by one.
func (o Options) explain(ctx context.Context, config *tls.Config, cause error) error {
	text := cause.Error()
	switch {
	case strings.Contains(text, "invalid auth ID or password"), strings.Contains(text, "authentication failed"):
		return &mapping.Error{Kind: mapping.Denied, Err: cause,
			Reason: fmt.Sprintf("etcd refuses user %q: the name or the password is wrong (--user, --password-file)", o.User)}
	case strings.Contains(text, "user name is empty"), strings.Contains(text, "invalid auth token"):
		return &mapping.Error{Kind: mapping.Denied, Err: cause,
			Reason: "etcd asks for a user: give --user NAME and --password-file FILE"}
	}
	reasons := make([]string, 0, len(o.Endpoints))
	for _, endpoint := range o.Endpoints {
		reasons = append(reasons, endpoint+" "+o.probe(ctx, endpoint, config))
	}
	return &mapping.Error{Kind: mapping.TimedOut, Err: cause, Reason: "no usable etcd: " + strings.Join(reasons, "; ")}
}

// probe says what one endpoint lacks.
func (o Options) probe(ctx context.Context, endpoint string, config *tls.Config) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
	defer cancel()
	network, address, err := split(endpoint)
	if err != nil {
		return err.Error()
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return dialWords(err)
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}

	plain := config == nil || strings.HasPrefix(endpoint, "http://") || strings.HasPrefix(endpoint, "unix://")
	if plain {
		// Whatever its certificate: the handshake only tells whether it speaks TLS.
		if tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) == nil {
			return "speaks TLS: write it as https:// and give --cacert FILE"
		}
		return fmt.Sprintf("is reached but did not answer within %v: is it an etcd of version 3, and has its cluster a leader? (--dial-timeout waits longer)", o.DialTimeout)
	}

	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	secure := tls.Client(conn, config)
	if err = secure.HandshakeContext(ctx); err == nil {
		// In TLS 1.3 a server refuses a client's certificate after the handshake.
		_, err = secure.Read(make([]byte, 1))
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Sprintf("is reached but did not answer within %v (--dial-timeout waits longer)", o.DialTimeout)
		}
	}
	return tlsWords(err, config.Certificates != nil || config.GetClientCertificate != nil)
}

func dialWords(err error) string {
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return "is a name that cannot be resolved: check --endpoints"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses connections: is etcd running there, and is --endpoints right?"
	case errors.Is(err, syscall.ENOENT):
		return "is no socket: is etcd running, and is --endpoints right?"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "does not answer: is the address right, and does a firewall let it through?"
	}
	return "cannot be reached: " + err.Error()
}

func tlsWords(err error, hasCert bool) string {
	var (
		header    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &header):
		return "does not speak TLS: write it as http://, without --cacert, --cert and --key"
	case errors.As(err, &authority):
		return "has a certificate of an unknown authority: give the one that signed it with --cacert FILE"
	case errors.As(err, &hostname):
		return "has a certificate for another name (" + hostname.Error() + "): use the name that it was issued for"
	case errors.As(err, &invalid):
		return "has a certificate that is not valid: " + invalid.Error()
	case strings.Contains(err.Error(), "certificate required"), strings.Contains(err.Error(), "bad certificate") && !hasCert:
		return "asks for a client certificate: give --cert FILE and --key FILE"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return "ends the TLS handshake at once: if it does not speak TLS, write it as http://, without --cacert, --cert and --key"
	case strings.Contains(err.Error(), "remote error: tls"):
		return "refuses the client certificate (" + err.Error() + "): check --cert and --key"
	}
	return "fails the TLS handshake: " + err.Error()
}
