package harness

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// Etcd is a server of one member, whose data and address stay over restarts.
type Etcd struct {
	// Endpoint is its client address, host:port.
	Endpoint string
	// Client is connected to it; it is closed by Stop.
	Client *clientv3.Client

	programs Programs
	dir      string
	tls      *tls.Config
	peer     string
	args     []string
	process  *process
}

// StartTLSEtcd starts a server that asks clients for a certificate, with what
// WriteCertificates has left in certificates.
func StartTLSEtcd(programs Programs, dir, certificates string) (*Etcd, error) {
	at := func(name string) string { return filepath.Join(certificates, name) }
	config, err := transport.TLSInfo{CertFile: at("client.pem"), KeyFile: at("client.key"), TrustedCAFile: at("ca.pem")}.ClientConfig()
	if err != nil {
		return nil, err
	}
	return startEtcd(programs, dir, config, []string{
		"--cert-file", at("server.pem"), "--key-file", at("server.key"), "--trusted-ca-file", at("ca.pem"), "--client-cert-auth",
	})
}

// StartEtcd starts a server with its data in dir; args are added to its
// command line. It does not sync to disk: tests kill processes, not machines.
func StartEtcd(programs Programs, dir string, args ...string) (*Etcd, error) {
	return startEtcd(programs, dir, nil, args)
}

func startEtcd(programs Programs, dir string, config *tls.Config, args []string) (*Etcd, error) {
	var err error
	// A port that was free may be taken by the time it is used.
	for range 5 {
		e := &Etcd{programs: programs, dir: dir, tls: config, args: args}
		if e.Endpoint, err = freeAddress(); err != nil {
			return nil, err
		}
		if e.peer, err = freeAddress(); err != nil {
			return nil, err
		}
		if err = e.Start(); err == nil {
			return e, nil
		}
	}
	return nil, err
}

// Start starts a server that was stopped or killed again.
func (e *Etcd) Start() error {
	client, peer := "http://"+e.Endpoint, "http://"+e.peer
	if e.tls != nil {
		client = "https://" + e.Endpoint
	}
	cmd := exec.Command(e.programs.Path("etcd"), append([]string{
		"--name", "test", "--data-dir", e.dir, "--log-level", "error", "--unsafe-no-fsync",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "test=" + peer,
	}, e.args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if e.process, err = start(cmd); err != nil {
		return err
	}
	if e.Client == nil {
		if e.Client, err = clientv3.New(clientv3.Config{Endpoints: []string{client}, TLS: e.tls, DialTimeout: patience, Logger: zap.NewNop()}); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ready := make(chan error, 1)
	go func() {
		for {
			_, err := e.Client.Get(ctx, "ready")
			if err == nil || ctx.Err() != nil {
				ready <- err
				return
			}
		}
	}()
	select {
	case err = <-ready:
	case <-e.process.ended:
		cancel()
		<-ready
		err = fmt.Errorf("etcd ended: %w", e.process.err)
	}
	if err != nil {
		output := e.process.output.String()
		_ = e.Stop()
		return fmt.Errorf("etcd at %s does not serve: %w\n%s", e.Endpoint, err, output)
	}
	return nil
}

// Kill ends the server without warning; Start brings it back.
func (e *Etcd) Kill() {
	_ = e.process.signal(syscall.SIGKILL)
}

// Stop ends the server and the client.
func (e *Etcd) Stop() error {
	if e.Client != nil {
		_ = e.Client.Close()
		e.Client = nil
	}
	select {
	case <-e.process.ended:
		return nil
	default:
	}
	// A server without data to save need not end slowly.
	e.Kill()
	return nil
}

// Revision returns the store's revision.
func (e *Etcd) Revision() (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	response, err := e.Client.Get(ctx, "revision", clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return response.Header.Revision, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

// Await calls ready until it is true or patience ends.
func Await(ready func() bool) bool {
	for deadline := time.Now().Add(patience); ; {
		if ready() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
}
