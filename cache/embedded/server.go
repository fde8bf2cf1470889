// Package embedded runs one etcd server inside this process: for a single
// machine, for trying the filesystem out, and for tests.
//
// The server is a cluster of one member. It listens for clients where it is
// told to, so that etcdctl and other mounts can use it as well, and for peers
// nowhere. Its data directory is kept when it stops and used again when it is
// started there anew.
package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// readyWithin bounds the start of the server: replaying a large log on a slow
// disk takes seconds, an election of one member takes one.
const readyWithin = 60 * time.Second

// keepHistory is how far back revisions stay readable before they are
// compacted, in the notation of etcd's --auto-compaction-retention.
const keepHistory = "168h"

// Server is a running etcd server. Its methods may be called concurrently.
type Server struct {
	etcd      *embed.Etcd
	closing   atomic.Bool
	endpoints []string
}

// Option changes what the server is started with.
type Option func(*embed.Config)

// UnsafeNoFsync leaves out the fsync of the log: fast, and data is lost when
// the machine (not the process) stops. For tests.
func UnsafeNoFsync() Option { return func(c *embed.Config) { c.UnsafeNoFsync = true } }

// Quota sets the size of the database in bytes at which etcd raises its space
// alarm and refuses writes.
func Quota(bytes int64) Option { return func(c *embed.Config) { c.QuotaBackendBytes = bytes } }

// MaxRequestBytes sets the largest request that the server takes.
func MaxRequestBytes(bytes uint) Option { return func(c *embed.Config) { c.MaxRequestBytes = bytes } }

// Start starts a server that keeps its data in dir and listens for clients at
// listenURL ("http://127.0.0.1:2379"; port 0 takes a free one), and returns
// when it serves. What etcd has to report at its error level goes to logger,
// which may be nil.
//
// Errors are *mapping.Error: Invalid for an address that is not a URL, Exists for one that
// is in use, Denied for a directory that cannot be written, Busy for one that another
// server uses, TimedOut when the server does not become ready.
func Start(dir, listenURL string, logger *slog.Logger, options ...Option) (*Server, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	client, err := clientURL(listenURL)
	if err != nil {
		return nil, err
	}
	if err := prepareDir(dir); err != nil {
		return nil, err
	}
	// The server opens its files by name for as long as it runs, and a daemon leaves its working directory.
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, mapping.Errorf(mapping.Other, dir, "the working directory is unknown: %w", err)
	}
	if err := free(client.Host); err != nil {
		return nil, err
	}

	config := embed.NewConfig()
	config.Name = "ovscfgfs"
	config.Dir = dir
	config.ListenClientUrls = []url.URL{*client}
	config.AdvertiseClientUrls = []url.URL{*client}
	// A member needs a peer address in its membership, but one member alone
	// never dials it; so nothing listens there.
	config.ListenPeerUrls = nil
	config.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:2380"}}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	// A cluster of its own identity each time a directory is filled anew, so that clients notice. An
	// existing one keeps the identity it has.
	config.InitialClusterToken = rand.Text()
	config.AutoCompactionMode = embed.CompactorModePeriodic
	config.AutoCompactionRetention = keepHistory
	// With one member there is nobody to wait for before the first election.
	config.TickMs, config.ElectionMs = 50, 500
	for _, option := range options {
		option(config)
	}

	s := new(Server)
	etcd, err := launch(config, logger, &s.closing)
	if err != nil {
		return nil, startError(dir, listenURL, err)
	}
	s.etcd = etcd
	select {
	case <-etcd.Server.ReadyNotify():
	case err := <-etcd.Err():
		s.Close()
		return nil, startError(dir, listenURL, err)
	case <-time.After(readyWithin):
		s.Close()
		return nil, mapping.Errorf(mapping.TimedOut, "", "the embedded etcd in %s was not ready after %v; look at the logged errors", dir, readyWithin)
	}
	for _, l := range etcd.Clients {
		s.endpoints = append(s.endpoints, client.Scheme+"://"+l.Addr().String())
	}
	return s, nil
}

// Endpoints returns the addresses that clients reach the server at.
func (s *Server) Endpoints() []string { return s.endpoints }

// Close stops the server and returns when its goroutines and listeners are
// gone. The data stays.
func (s *Server) Close() error {
	s.closing.Store(true)
	s.etcd.Close()
	return nil
}

// launch starts etcd. What etcd calls fatal, such as a damaged log, would end
// this process without a word: it is made a panic, and that an error.
func launch(config *embed.Config, logger *slog.Logger, closing *atomic.Bool) (server *embed.Etcd, err error) {
	var reason string // the first one; others follow from it, or etcd trips over its own error
	core := errorCore{logger: logger, closing: closing, fatal: func(r string) {
		if reason == "" {
			reason = r
		}
	}}
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.New(core, zap.WithFatalHook(zapcore.WriteThenPanic)))
	defer func() {
		broken := recover()
		if broken == nil {
			return
		}
		if reason == "" {
			reason = fmt.Sprint(broken)
		}
		server, err = nil, fmt.Errorf("its data look damaged (%s): move the directory away to begin empty, or restore a snapshot into it", reason)
	}()
	return embed.StartEtcd(config)
}

func clientURL(listen string) (*url.URL, error) {
	u, err := url.Parse(listen)
	if err != nil || u.Host == "" || u.Path != "" || u.Scheme != "http" {
		return nil, mapping.Errorf(mapping.Invalid, "", "the embedded etcd cannot listen on %q: give an address like http://127.0.0.1:2379", listen)
	}
	if _, _, err := net.SplitHostPort(u.Host); err != nil {
		return nil, mapping.Errorf(mapping.Invalid, "", "the embedded etcd cannot listen on %q: the port is missing, as in http://127.0.0.1:2379", listen)
	}
	return u, nil
}

// prepareDir makes the data directory and makes sure that it can be written:
// etcd itself ends the process when it finds out later.
func prepareDir(dir string) error {
	if dir == "" {
		return mapping.Errorf(mapping.Invalid, "", "the embedded etcd needs a directory for its data")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return dirError(err)
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return dirError(err)
	}
	probe.Close()
	if err := os.Remove(probe.Name()); err != nil {
		return dirError(err)
	}
	// etcd waits without end for the lock that another server holds.
	db := filepath.Join(dir, "member", "snap", "db")
	f, err := os.OpenFile(db, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return dirError(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return mapping.Errorf(mapping.Busy, "", "the data directory %s is used by another etcd server: stop it, or give another directory: %w", dir, err)
	}
	return nil
}

func dirError(err error) error {
	return mapping.Errorf(mapping.Denied, "", "the data directory of the embedded etcd cannot be used (%w): give one that can be written", err)
}

// free makes sure that the address can be listened on, to say so in words.
func free(host string) error {
	l, err := net.Listen("tcp", host)
	switch {
	case err == nil:
		return l.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		return mapping.Errorf(mapping.Exists, "", "the embedded etcd cannot listen on %s: the address is in use; stop what listens there, use that server with --endpoints, or give another address: %w", host, err)
	default:
		return mapping.Errorf(mapping.Invalid, "", "the embedded etcd cannot listen on %s: %w", host, err)
	}
}

func startError(dir, listen string, err error) error {
	if strings.Contains(err.Error(), "address already in use") {
		return mapping.Errorf(mapping.Exists, "", "the embedded etcd cannot listen on %s: the address is in use: %w", listen, err)
	}
	return mapping.Errorf(mapping.Other, "", "the embedded etcd in %s did not start: %w", dir, err)
}
