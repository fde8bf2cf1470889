package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// startEtcd runs the server with its default settings (every commit is synced
// to disk), its data in the lab's directory, and returns its client URL.
func (l *lab) startEtcd(ctx context.Context, binary string) (string, error) {
	clientURL, err := freeURL()
	if err != nil {
		return "", err
	}
	peerURL, err := freeURL()
	if err != nil {
		return "", err
	}
	logPath := filepath.Join(l.dir, "etcd.log")
	cmd := exec.Command(binary,
		"--data-dir", filepath.Join(l.dir, "etcd-data"), "--log-level", "error", "--log-outputs", logPath,
		"--listen-client-urls", clientURL, "--advertise-client-urls", clientURL,
		"--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL, "--initial-cluster", "default="+peerURL)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start etcd: %w", err)
	}
	l.onClose(func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		_ = cmd.Wait() // it reports the signal
		return nil
	})
	client, err := dial(ctx, clientURL)
	if err != nil {
		text, _ := os.ReadFile(logPath)
		return "", fmt.Errorf("etcd is not ready: %w\n%s", err, text)
	}
	return clientURL, client.Close()
}

// dial returns a client that has reached the server.
func dial(ctx context.Context, endpoint string) (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 30 * time.Second})
	if err != nil {
		return nil, err
	}
	ready, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if _, err := client.Get(ready, "ready"); err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

// freeURL is a localhost URL whose port was free a moment ago.
func freeURL() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return "http://" + listener.Addr().String(), nil
}

// pagedRange reads a whole prefix the way any client would: pages of 10,000
// pinned to the first one's revision, or to the one given. It returns the number of keys.
func pagedRange(ctx context.Context, client *clientv3.Client, prefix string, revision int64) (int, error) {
	const page = 10_000
	from, end := prefix+"/", clientv3.GetPrefixRangeEnd(prefix+"/")
	keys := 0
	for {
		answer, err := client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(revision))
		if err != nil {
			return keys, err
		}
		keys += len(answer.Kvs)
		if !answer.More {
			return keys, nil
		}
		revision = answer.Header.Revision
		from = string(answer.Kvs[len(answer.Kvs)-1].Key) + "\x00"
	}
}
