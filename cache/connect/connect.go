// Package connect makes etcd clients from the flags that etcdctl has, and says
// in one line why a server cannot be used: nobody listens, TLS on one side
// only, a certificate that is not trusted, a password that is wrong.
package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Options are etcdctl's connection flags.
type Options struct {
	// Endpoints are "host:port" or URLs with the scheme http, https, unix or unixs.
	Endpoints []string
	// CACert, Cert and Key are PEM files; Cert and Key go together.
	CACert, Cert, Key string
	// SkipVerify accepts any server certificate.
	SkipVerify bool
	// User and Password are those of etcd's own authentication; an empty User means none.
	User, Password string
	// DialTimeout bounds the first answer of the cluster.
	DialTimeout time.Duration
	// KeepAliveTime and KeepAliveTimeout are those of the connection's pings.
	KeepAliveTime, KeepAliveTimeout time.Duration
}

// Client returns a client whose cluster has answered once within DialTimeout.
// The caller closes it.
//
// Errors are *mapping.Error: Invalid for options that cannot be right (a file
// that is missing, an endpoint that is no address), Denied when etcd refuses
// the user, TimedOut when no endpoint can be used, with the reason of each.
func Client(ctx context.Context, o Options) (*clientv3.Client, error) {
	tlsConfig, err := o.checked()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.DialTimeout)
	defer cancel()

	client, err := clientv3.New(clientv3.Config{
		Endpoints:            o.Endpoints,
		TLS:                  tlsConfig,
		Username:             o.User,
		Password:             o.Password,
		DialTimeout:          o.DialTimeout,
		DialKeepAliveTime:    o.KeepAliveTime,
		DialKeepAliveTimeout: o.KeepAliveTimeout,
		Logger:               zap.NewNop(),
	})
	if err != nil {
		return nil, o.explain(ctx, tlsConfig, err)
	}
	// Any key will do: the question is whether a member with a leader answers.
	_, err = client.Get(ctx, "\x00", clientv3.WithCountOnly())
	if err == nil || deniedKey(err) {
		return client, nil
	}
	_ = client.Close()
	return nil, o.explain(ctx, tlsConfig, err)
}

// deniedKey tells a user who may not read that one key, which proves that etcd
// knows the user, from one whom it does not know.
func deniedKey(err error) bool {
	return strings.Contains(err.Error(), "etcdserver: permission denied")
}

// Check refuses options that cannot be right, as Client does, without connecting.
func (o Options) Check() error {
	_, err := o.checked()
	return err
}

func (o Options) checked() (*tls.Config, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return o.tls()
}

func (o Options) check() error {
	if len(o.Endpoints) == 0 {
		return mapping.Errorf(mapping.Invalid, "", "no etcd address: give --endpoints HOST:PORT")
	}
	for _, endpoint := range o.Endpoints {
		if _, _, err := split(endpoint); err != nil {
			return err
		}
	}
	if (o.Cert == "") != (o.Key == "") {
		return mapping.Errorf(mapping.Invalid, "", "--cert and --key go together: give both or neither")
	}
	if o.Password != "" && o.User == "" {
		return mapping.Errorf(mapping.Invalid, "", "a password without a user: give --user NAME too")
	}
	return nil
}

// tls returns nil where nothing asks for TLS.
func (o Options) tls() (*tls.Config, error) {
	for _, f := range []struct{ flag, name string }{{"--cacert", o.CACert}, {"--cert", o.Cert}, {"--key", o.Key}} {
		if f.name == "" {
			continue
		}
		file, err := os.Open(f.name)
		if err != nil {
			return nil, mapping.Errorf(mapping.Invalid, "", "%s cannot be read: %w", f.flag, err)
		}
		_ = file.Close()
	}
	secure := o.CACert != "" || o.Cert != "" || o.SkipVerify
	for _, endpoint := range o.Endpoints {
		secure = secure || strings.HasPrefix(endpoint, "https://") || strings.HasPrefix(endpoint, "unixs://")
	}
	if !secure {
		return nil, nil
	}
	if err := checkPEM(o.CACert); err != nil {
		return nil, err
	}
	info := transport.TLSInfo{CertFile: o.Cert, KeyFile: o.Key, TrustedCAFile: o.CACert}
	config, err := info.ClientConfig()
	if err != nil {
		return nil, mapping.Errorf(mapping.Invalid, "", "the TLS files cannot be used: %w (--cacert, --cert and --key are PEM files)", err)
	}
	config.InsecureSkipVerify = o.SkipVerify
	return config, nil
}

// checkPEM refuses a CA bundle without a certificate, which the TLS library
// would take for an empty one.
func checkPEM(name string) error {
	if name == "" {
		return nil
	}
	data, err := os.ReadFile(name)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(data) {
		err = errors.New("it holds no certificate")
	}
	if err != nil {
		return mapping.Errorf(mapping.Invalid, "", "--cacert %s cannot be used: %w (it must be a PEM file)", name, err)
	}
	return nil
}

// split returns the network and address that an endpoint dials.
func split(endpoint string) (network, address string, err error) {
	scheme, rest, found := strings.Cut(endpoint, "://")
	if !found {
		scheme, rest = "", endpoint
	}
	switch scheme {
	case "unix", "unixs":
		return "unix", rest, nil
	case "", "http", "https":
	default:
		return "", "", mapping.Errorf(mapping.Invalid, "", "--endpoints %s: the scheme is none of http, https, unix, unixs", endpoint)
	}
	host, port, ok := cutLast(rest, ":")
	if !ok || host == "" || port == "" || strings.ContainsAny(rest, "/ ") || strings.Trim(port, "0123456789") != "" {
		return "", "", mapping.Errorf(mapping.Invalid, "", "--endpoints %s is not an address: write HOST:PORT, such as 127.0.0.1:2379", endpoint)
	}
	return "tcp", rest, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
