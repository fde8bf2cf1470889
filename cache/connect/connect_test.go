package connect

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The words that a person sees for each thing that can be wrong with an address.
func TestFailuresInWords(t *testing.T) {
	pki := newPKI(t)
	silent := listen(t, nil)
	encrypted := listen(t, &tls.Config{Certificates: []tls.Certificate{pki.server}})
	demanding := listen(t, &tls.Config{Certificates: []tls.Certificate{pki.server}, ClientAuth: tls.RequireAnyClientCert})
	closed := closedAddress(t)

	for name, test := range map[string]struct {
		options Options
		kind    mapping.Kind
		words   string
	}{
		"nobody listens":        {Options{Endpoints: []string{closed}}, mapping.TimedOut, closed + " refuses connections: is etcd running there"},
		"second of two":         {Options{Endpoints: []string{closed, silent}}, mapping.TimedOut, "; " + silent + " is reached but did not answer"},
		"no etcd":               {Options{Endpoints: []string{silent}}, mapping.TimedOut, "is reached but did not answer within"},
		"no such name":          {Options{Endpoints: []string{"host.invalid:2379"}}, mapping.TimedOut, "host.invalid:2379 is a name that cannot be resolved"},
		"no socket":             {Options{Endpoints: []string{"unix:///nonexistent/etcd.sock"}}, mapping.TimedOut, "is no socket"},
		"plain to TLS":          {Options{Endpoints: []string{"http://" + encrypted}}, mapping.TimedOut, "speaks TLS: write it as https://"},
		"no scheme to TLS":      {Options{Endpoints: []string{encrypted}}, mapping.TimedOut, "speaks TLS: write it as https://"},
		"TLS to plain":          {Options{Endpoints: []string{"https://" + greeting(t)}}, mapping.TimedOut, "does not speak TLS: write it as http://"},
		"unknown authority":     {Options{Endpoints: []string{"https://" + encrypted}}, mapping.TimedOut, "certificate of an unknown authority: give the one that signed it with --cacert"},
		"another name":          {Options{Endpoints: []string{"https://" + strings.Replace(encrypted, "127.0.0.1", "localhost", 1)}, CACert: pki.ca}, mapping.TimedOut, "certificate for another name"},
		"client certificate":    {Options{Endpoints: []string{"https://" + demanding}, CACert: pki.ca}, mapping.TimedOut, "asks for a client certificate: give --cert FILE and --key FILE"},
		"no address":            {Options{}, mapping.Invalid, "give --endpoints"},
		"no port":               {Options{Endpoints: []string{"localhost"}}, mapping.Invalid, "localhost is not an address: write HOST:PORT"},
		"a path":                {Options{Endpoints: []string{"http://localhost:1/ovs"}}, mapping.Invalid, "is not an address"},
		"unknown scheme":        {Options{Endpoints: []string{"ftp://localhost:1"}}, mapping.Invalid, "the scheme is none of http, https, unix, unixs"},
		"half a pair":           {Options{Endpoints: []string{closed}, Cert: pki.ca}, mapping.Invalid, "--cert and --key go together"},
		"missing CA file":       {Options{Endpoints: []string{closed}, CACert: "/nonexistent/ca.pem"}, mapping.Invalid, "--cacert cannot be read: open /nonexistent/ca.pem: no such file"},
		"CA file of other kind": {Options{Endpoints: []string{closed}, CACert: pki.garbage}, mapping.Invalid, "cannot be used: it holds no certificate"},
		"password without user": {Options{Endpoints: []string{closed}, Password: "x"}, mapping.Invalid, "give --user NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.DialTimeout = 300 * time.Millisecond
			client, err := Client(context.Background(), test.options)
			if err == nil {
				_ = client.Close()
				t.Fatal("it connected")
			}
			if !strings.Contains(err.Error(), test.words) || mapping.KindOf(err) != test.kind {
				t.Errorf("got %v: %v\nwant %v: ...%s...", mapping.KindOf(err), err, test.kind, test.words)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

// listen accepts connections and reads what comes until the test ends; with a
// TLS configuration it shakes hands first.
func listen(t *testing.T, config *tls.Config) string {
	t.Helper()
	return serve(t, func(conn net.Conn) {
		if config != nil {
			conn = tls.Server(conn, config)
		}
		for buffer := make([]byte, 1024); ; {
			if _, err := conn.Read(buffer); err != nil {
				return
			}
		}
	})
}

// greeting listens and speaks first, and no TLS.
func greeting(t *testing.T) string {
	t.Helper()
	return serve(t, func(conn net.Conn) {
		_, _ = conn.Write([]byte("220 mail at your service\r\n"))
		_, _ = conn.Read(make([]byte, 1024))
	})
}

func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			})
		}
	})
	return listener.Addr().String()
}

func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

type pki struct {
	server      tls.Certificate
	ca, garbage string
}

// newPKI makes a self-signed certificate for 127.0.0.1.
func newPKI(t *testing.T) pki {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	p := pki{
		server:  tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		ca:      filepath.Join(t.TempDir(), "ca.pem"),
		garbage: filepath.Join(t.TempDir(), "garbage.pem"),
	}
	for file, data := range map[string][]byte{p.ca: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), p.garbage: []byte("no certificate")} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}
