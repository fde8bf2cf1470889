// Package volumes tests the whole life of volumes: shell scripts on two mounts,
// agents that are killed, and the example handler, whose files tell what was done.
package volumes

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/mapping/volume"
	"github.com/openvstorage/ovscfgfs/test/harness"
)

// The vpools and vrouters of the sample tree.
const (
	vm = "e519aa6d-0595-4269-a3b9-5f3cd0b31953"
	db = "033010f1-efaa-419c-86f5-e61afaeaf611"
)

var routers = map[string][]string{
	vm: {"vmstor7YHl0GFdaJDsdzom", "vmstorYKHFP7mHwzNZr6Im"},
	db: {"dbstor7YHl0GFdaJDsdzom"},
}

// site is an etcd with two mounts, agents, and the storage that their handlers share.
type site struct {
	*harness.Pair
	t        *testing.T
	programs harness.Programs
	storage  string
	state    string
	handler  string
	path     string // PATH of the handlers

	mu     sync.Mutex
	agents map[string]*harness.Agent // by vrouter
}

func newSite(t *testing.T) *site {
	t.Helper()
	python := interpreter(t)
	s := &site{t: t, agents: map[string]*harness.Agent{}}
	var err error
	if s.programs, err = harness.Build(); err != nil {
		t.Fatal(err)
	}
	if s.storage, err = filepath.EvalSymlinks(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	s.state = t.TempDir()
	if s.handler, err = filepath.Abs("../../contrib/volumedriver-handler"); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(python, filepath.Join(bin, "python3")); err != nil {
		t.Fatal(err)
	}
	s.path = bin + ":" + os.Getenv("PATH")
	s.Pair = harness.StartPair(t, fillSample(t))
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for vrouter, a := range s.agents {
			if err := a.Stop(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Logf("log of the agent of %s:\n%s", vrouter, a.Log())
			}
		}
	})
	return s
}

// interpreter is that of the example handler itself: version managers put a
// slow script before it.
func interpreter(t *testing.T) string {
	t.Helper()
	python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("the example handler needs python3")
	}
	return strings.TrimSpace(string(python))
}

// fillSample puts the sample tree but its volumes.
func fillSample(t *testing.T) func(e *harness.Etcd) {
	return func(e *harness.Etcd) {
		text, err := os.ReadFile("../../contrib/sample-tree.json")
		if err != nil {
			t.Fatal(err)
		}
		var sample map[string]string
		if err := json.Unmarshal(text, &sample); err != nil {
			t.Fatal(err)
		}
		for key, value := range sample {
			if strings.HasPrefix(key, "/ovs/vpool/") {
				continue
			}
			if _, err := e.Client.Put(context.Background(), key, value); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// start starts the agent of a vrouter.
func (s *site) start(vpool, vrouter string) {
	s.t.Helper()
	cmd := exec.Command(s.programs.Path("ovscfgfs"), "agent", "--endpoints", s.Etcd.Endpoint, "--vpool", vpool, "--vrouter", vrouter,
		"--handler", s.handler, "--session-ttl", "10s", "--state-dir", s.state, "--retry-first", "100ms", "--retry-most", "1s", "--dial-timeout", "60s", "--command-timeout", "60s")
	cmd.Env = append(os.Environ(), "OVSCFGFS_STORAGE="+s.storage, "OVSCFGFS_VOLUME_SIZE=1048576", "PATH="+s.path)
	a, err := harness.StartAgent(cmd)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.mu.Lock()
	s.agents[vrouter] = a
	s.mu.Unlock()
}

func (s *site) startAll() {
	for vpool, list := range routers {
		for _, vrouter := range list {
			s.start(vpool, vrouter)
		}
	}
}

// kill kills the agent of a vrouter and starts another one.
func (s *site) kill(vpool, vrouter string) {
	s.mu.Lock()
	a := s.agents[vrouter]
	s.mu.Unlock()
	a.Kill()
	s.start(vpool, vrouter)
}

// sh runs a script in the directory of the volumes of a vpool on a mount.
func (s *site) sh(mount int, vpool, script string) error {
	dir := filepath.Join(s.Dirs[mount], "vpool", vpool, "volumes")
	cmd := exec.Command("bash", "-c", "set -e; mkdir -p "+dir+"; cd "+dir+"\n"+script)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, script, output)
	}
	return nil
}

// stored is what etcd has of the volumes.
type stored struct {
	configs  map[volume.ID]map[string]any
	requests map[volume.ID]volume.Request
	statuses map[volume.ID]volume.Status
}

func (s *site) stored() (stored, error) {
	all := stored{map[volume.ID]map[string]any{}, map[volume.ID]volume.Request{}, map[volume.ID]volume.Status{}}
	got, err := s.Etcd.Client.Get(context.Background(), "/ovs/vpool/", clientv3.WithPrefix())
	if err != nil {
		return all, err
	}
	for _, kv := range got.Kvs {
		key := strings.TrimPrefix(string(kv.Key), "/ovs/")
		id, ok := volume.Of(key)
		if !ok {
			return all, fmt.Errorf("there is the key %s", kv.Key)
		}
		var err error
		switch key {
		case id.ConfigKey():
			var c map[string]any
			err = json.Unmarshal(kv.Value, &c)
			all.configs[id] = c
		case id.LifecycleKey():
			var r volume.Request
			err = json.Unmarshal(kv.Value, &r)
			all.requests[id] = r
		default:
			var st volume.Status
			err = json.Unmarshal(kv.Value, &st)
			all.statuses[id] = st
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", kv.Key, err)
		}
	}
	return all, nil
}

// unsettled says what the agents have still to do.
func (all stored) unsettled() (list []string) {
	for id, config := range all.configs {
		s, ok := all.statuses[id]
		if !ok || s.State != volume.Ready || s.Generation != all.requests[id].Generation || s.Owner != config["volume_router"] {
			list = append(list, fmt.Sprintf("%s: %+v, request %+v", id.Volume, s, all.requests[id]))
		}
	}
	for id, s := range all.statuses {
		if all.configs[id] == nil {
			list = append(list, fmt.Sprintf("%s is to go: %+v", id.Volume, s))
		}
	}
	for id := range all.requests {
		if _, ok := all.statuses[id]; !ok && all.configs[id] == nil {
			list = append(list, id.Volume+" has a request without anything")
		}
	}
	return list
}

// awaitSettled waits until at most so many volumes have something to be done.
func (s *site) awaitSettled(most int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	changes := s.Etcd.Client.Watch(ctx, "/ovs/vpool/", clientv3.WithPrefix())
	for {
		all, err := s.stored()
		if err != nil {
			s.t.Fatal(err)
		}
		left := all.unsettled()
		if len(left) <= most {
			return
		}
		if _, ok := <-changes; !ok {
			s.t.Fatalf("%d volumes are not settled, such as %s", len(left), left[0])
		}
	}
}
