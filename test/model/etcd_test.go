package model

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/test/harness"
)

const prefix = "/ovs/"

// seen is what etcd had, so that only what changed is looked at again.
type seen map[string]seenKey

type seenKey struct {
	revision int64
	v        *value
}

// compareEtcd holds what is stored against the tree, and returns the revision.
func (s seen) compareEtcd(t *tree, e *harness.Etcd) (int64, error) {
	// What the one member has is what a linearizable read would give, for less.
	got, err := e.Client.Get(context.Background(), prefix, clientv3.WithPrefix(), clientv3.WithSerializable())
	if err != nil {
		return 0, err
	}
	for _, kv := range got.Kvs {
		key := strings.TrimPrefix(string(kv.Key), prefix)
		want := t.keys[key]
		if want == nil {
			return 0, fmt.Errorf("etcd has %q = %q, which should not be", key, kv.Value)
		}
		now := s[key]
		if now.revision != kv.ModRevision {
			now = seenKey{kv.ModRevision, parse(string(kv.Value))}
			s[key] = now
		}
		if !now.v.equal(want) {
			return 0, fmt.Errorf("etcd has %q = %q, want %s %s", key, kv.Value, want.is, want.write())
		}
	}
	if len(got.Kvs) < len(t.keys) {
		left := sortedKeys(t)
		for _, kv := range got.Kvs {
			left = slices.DeleteFunc(left, func(k string) bool { return k == strings.TrimPrefix(string(kv.Key), prefix) })
		}
		return 0, fmt.Errorf("etcd has no %q", left)
	}
	return got.Header.Revision, nil
}

// client changes keys in etcd, any number in one transaction, and returns their paths.
func (w *world) client() ([]string, error) {
	changes := w.keys(w.model, pick(w.chooser, 1, 1, 1, 4))
	var words, paths []string
	for key, v := range changes {
		paths = append(paths, shownKey(key))
		if v == nil {
			words = append(words, fmt.Sprintf("delete %q", key))
		} else {
			words = append(words, fmt.Sprintf("put %q %q", key, *v))
		}
	}
	slices.Sort(words)
	tool := w.IntN(100) == 0
	w.note("etcd: %s", strings.Join(words, ", "))
	for key, v := range changes {
		if tool && len(changes) == 1 && (v == nil || *v != "") { // etcdctl takes no empty value
			return paths, w.etcdctl(key, v)
		}
	}
	return paths, w.put(w.pair.Etcd, changes)
}

func (w *world) put(e *harness.Etcd, changes map[string]*string) error {
	var ops []clientv3.Op
	for key, v := range changes {
		if v == nil {
			ops = append(ops, clientv3.OpDelete(prefix+key))
		} else {
			ops = append(ops, clientv3.OpPut(prefix+key, *v))
		}
	}
	if _, err := e.Client.Txn(context.Background()).Then(ops...).Commit(); err != nil {
		return err
	}
	w.took(changes)
	return nil
}

// etcdctl changes one key with the real program.
func (w *world) etcdctl(key string, v *string) error {
	verb := "del"
	if v != nil {
		verb = "put"
	}
	args := []string{"--endpoints", w.pair.Etcd.Endpoint, verb, "--", prefix + key}
	cmd := exec.Command(w.programs.Path("etcdctl"), args...)
	if v != nil {
		cmd.Stdin = strings.NewReader(*v)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("etcdctl: %w: %s", err, out)
	}
	w.took(map[string]*string{key: v})
	return nil
}

// took makes the model follow changes that were made in etcd.
func (w *world) took(changes map[string]*string) {
	next := w.model.clone()
	for key, v := range changes {
		if v == nil {
			next.del(key)
		} else {
			next.put(key, parse(*v))
		}
	}
	next.settle(w.model, 0, nil)
	w.model = next
}
