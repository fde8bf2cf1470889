package agent_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/cache/agent"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
	"github.com/openvstorage/ovscfgfs/test/faults"
)

type exit int

func (e exit) Error() string { return "exited" }
func (e exit) ExitCode() int { return int(e) }

// What a handler does wrong is tried again until it is given up, and in the end
// the words are in the status. A later change begins anew.
func TestBadHandlers(t *testing.T) {
	for what, bad := range map[string]struct {
		answer string
		err    error
		tries  int32
		words  string
	}{
		"crashes":         {"", exit(1), 4, "exited"},
		"prints rubbish":  {"{]", nil, 4, "no answer"},
		"prints a list":   {"[]", nil, 4, "no answer"},
		"prints null":     {"null", nil, 4, "no answer"},
		"prints too much": {`{"error": "` + strings.Repeat("x", 1<<20) + `"}`, nil, 4, "longer than"},
		"wants a retry":   {`{"error": "no space", "retry": true}`, nil, 4, "no space"},
		"refuses":         {`{"error": "no such disk", "rejected": [{"field": "name", "reason": "bad"}]}`, nil, 1, "no such disk"},
		"gives up":        {``, exit(65), 1, "exited"},
		"rejects identity": {`{"rejected": [{"field": "filesystem_path", "reason": "taken"}]}`, nil, 1,
			"a field that no volume can be without"},
	} {
		t.Run(what, func(t *testing.T) {
			l := newLab(t)
			var tries atomic.Int32
			var well atomic.Bool
			l.start("r1", handler(func(_ context.Context, _ map[string]string, in input) (string, error) {
				if well.Load() {
					return "", nil
				}
				if n := tries.Add(1); int(n) != in.Attempt {
					t.Errorf("attempt %d is said to be %d", n, in.Attempt)
				}
				return bad.answer, bad.err
			}), func(o *agent.VolumeOptions) { o.Retries = 3 })
			l.put(configKey(1), config(1, "r1"))
			s := l.awaitState(1, volume.Failed)
			if n := tries.Load(); n != bad.tries || !strings.Contains(s.Error, bad.words) || s.Config != nil {
				t.Errorf("%d tries, status %+v", n, s)
			}
			well.Store(true)
			l.put(configKey(1), config(1, "r1", "sco_size", "4"))
			l.awaitState(1, volume.Ready)
		})
	}
}

// One that hangs is ended, and the others go on meanwhile.
func TestHangingHandler(t *testing.T) {
	l := newLab(t)
	var hangs atomic.Int32
	l.start("r1", handler(func(ctx context.Context, _ map[string]string, in input) (string, error) {
		if in.Volume == name(1) && hangs.Add(1) < 3 {
			<-ctx.Done()
			return "", context.Cause(ctx)
		}
		return "", nil
	}), func(o *agent.VolumeOptions) { o.Timeout = 300 * time.Millisecond; o.Concurrency = 2 })
	l.put(configKey(1), config(1, "r1"))
	l.awaitState(1, volume.Applying)
	l.put(configKey(2), config(2, "r1"))
	l.awaitState(2, volume.Ready)
	l.awaitState(1, volume.Ready)
	if n := hangs.Load(); n != 3 {
		t.Errorf("%d tries", n)
	}
}

// A part of an update may be rejected. It is not tried again, a new value is.
func TestRejection(t *testing.T) {
	l := newLab(t)
	var asked atomic.Int32
	l.start("r1", handler(func(_ context.Context, _ map[string]string, in input) (string, error) {
		asked.Add(1)
		if in.New["sco_size"] == 8.0 {
			return `{"rejected": [{"field": "sco_size", "reason": "too large"}], "applied": [{"param_name": "write_buffer"}]}`, nil
		}
		return "", nil
	}))
	l.put(configKey(1), config(1, "r1", "sco_size", "4"))
	l.awaitState(1, volume.Ready)
	l.put(configKey(1), config(1, "r1", "sco_size", "8", "write_buffer", "128", "dtl_target", `"x"`, "snapshot_id", `"y"`))
	s := l.await(1, func(s volume.Status, _ bool) bool {
		return s.State == volume.Ready && s.Config["write_buffer"] == 128.0
	})
	if len(s.Applied) != 1 || len(s.Rejected) != 3 || s.Config["sco_size"] != 4.0 || s.Config["dtl_target"] != nil || s.Config["snapshot_id"] != nil {
		t.Errorf("status %+v", s)
	}
	l.put(configKey(2), config(2, "r1")) // something else wakes the agent
	l.awaitState(2, volume.Ready)
	if n := asked.Load(); n != 3 {
		t.Errorf("the handler was asked %d times", n)
	}
	l.put(configKey(1), config(1, "r1", "sco_size", "16", "write_buffer", "128"))
	l.await(1, func(s volume.Status, _ bool) bool { return s.Config["sco_size"] == 16.0 && len(s.Rejected) == 0 })
}

// An answer that comes after the volume was deleted makes no volume of it, and
// what it has made is deleted, even if all keys went.
func TestAnswerAfterDelete(t *testing.T) {
	for what, remove := range map[string]func(l *lab){
		"by the mount": func(l *lab) {
			l.put(requestKey(1), `{"action": "delete", "generation": 2}`)
			l.del(configKey(1))
		},
		"by etcdctl": func(l *lab) { l.del(configKey(1)) },
		"whole":      func(l *lab) { l.delAll("/ovs/vpool/p/") },
	} {
		t.Run(what, func(t *testing.T) {
			l := newLab(t)
			j := &journal{}
			begun, goOn, deleted := make(chan struct{}), make(chan struct{}), make(chan struct{})
			l.start("r1", handler(func(_ context.Context, _ map[string]string, in input) (string, error) {
				j.note(in)
				if in.Action == "create" {
					close(begun)
					<-goOn
				} else {
					close(deleted)
				}
				return "", nil
			}))
			l.put(configKey(1), config(1, "r1"), requestKey(1), `{"action": "create", "generation": 1}`)
			<-begun
			remove(l)
			close(goOn)
			<-deleted
			l.awaitGone(1)
			j.want(t, "create 1", "delete 1")
			if got, err := l.Get(l.ctx, "/ovs/", withPrefix()); err != nil || len(got.Kvs) != 0 {
				t.Errorf("left: %v, %v", got, err)
			}
		})
	}
}

// Of two agents of one vrouter one acts; when it stops, the other does.
func TestTwoAgents(t *testing.T) {
	l := newLab(t)
	one, two := &journal{}, &journal{}
	first := l.start("r1", one)
	l.put(configKey(1), config(1, "r1"))
	l.awaitState(1, volume.Ready)
	l.start("r1", two)
	for n := 2; n <= 9; n++ {
		l.put(configKey(n), config(n, "r1"))
		l.awaitState(n, volume.Ready)
	}
	two.want(t)
	first.end(t)
	l.del(configKey(1))
	l.awaitGone(1)
	two.want(t, "delete 1")
}

// Etcd is away for longer than the election holds: the agent ends its handlers,
// writes nothing that another one could have done meanwhile, and goes on when
// etcd is back.
func TestEtcdAway(t *testing.T) {
	l := newLab(t)
	proxy, err := faults.NewProxy(l.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	var mu sync.Mutex
	ends := map[string]int{}
	begun := make(chan struct{}, 10)
	h := handler(func(ctx context.Context, _ map[string]string, in input) (string, error) {
		if in.Volume == name(1) && in.Attempt == 1 && in.Owner == "r1" {
			mu.Lock()
			first := ends["begun"] == 0
			ends["begun"]++
			mu.Unlock()
			if first {
				begun <- struct{}{}
				<-ctx.Done()
				mu.Lock()
				ends["ended"]++
				mu.Unlock()
				return "", errors.New("ended")
			}
		}
		return "", nil
	})
	l.start("r1", h, func(o *agent.VolumeOptions) { o.Client = dial(t, proxy.Addr()) })
	l.put(configKey(1), config(1, "r1"))
	<-begun
	proxy.Cut()
	l.put(configKey(2), config(2, "r1"))
	// Its election runs out, which etcd tells.
	for {
		got, err := l.Get(l.ctx, "/ovscfgfs/agents/", withPrefix())
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Kvs) == 0 {
			break
		}
		changes := l.Watch(l.ctx, "/ovscfgfs/agents/", withPrefix(), withRevision(got.Header.Revision+1))
		<-changes
	}
	if s, _ := l.status(1); s.State != volume.Applying {
		t.Errorf("status %+v", s)
	}
	proxy.Heal()
	l.awaitState(2, volume.Ready)
	l.awaitState(1, volume.Ready)
	mu.Lock()
	defer mu.Unlock()
	if ends["ended"] != 1 {
		t.Errorf("the handler of the lost term was not ended: %v", ends)
	}
}

// A short break changes nothing: the handler goes on, and its answer is stored.
func TestEtcdAwayForAMoment(t *testing.T) {
	l := newLab(t)
	proxy, err := faults.NewProxy(l.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	j := &journal{}
	begun, goOn := make(chan struct{}, 1), make(chan struct{})
	l.start("r1", handler(func(ctx context.Context, _ map[string]string, in input) (string, error) {
		j.note(in)
		begun <- struct{}{}
		<-goOn
		return "", ctx.Err()
	}), func(o *agent.VolumeOptions) { o.Client = dial(t, proxy.Addr()); o.TTL = 30 * time.Second })
	l.put(configKey(1), config(1, "r1"))
	<-begun
	proxy.Break()
	close(goOn)
	l.awaitState(1, volume.Ready)
	j.want(t, "create 1")
}

// An agent that is stopped lets its handler end within the grace time; after
// that it ends it and hands the volume back.
func TestStop(t *testing.T) {
	l := newLab(t)
	begun, goOn := make(chan struct{}, 2), make(chan struct{})
	h := handler(func(ctx context.Context, _ map[string]string, in input) (string, error) {
		begun <- struct{}{}
		select {
		case <-goOn:
			return "", nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	})
	r := l.start("r1", h)
	l.put(configKey(1), config(1, "r1"))
	<-begun
	r.stop()
	close(goOn)
	r.end(t)
	if s, _ := l.status(1); s.State != volume.Ready {
		t.Errorf("status %+v", s)
	}
	goOn = make(chan struct{})
	r = l.start("r1", h, func(o *agent.VolumeOptions) { o.Grace = time.Millisecond })
	l.put(configKey(2), config(2, "r1"))
	<-begun
	r.end(t)
	if s, _ := l.status(2); s.State != volume.Pending || !strings.Contains(s.Error, "stopped") {
		t.Errorf("status %+v", s)
	}
	if got, err := l.Get(l.ctx, "/ovscfgfs/agents/", withPrefix()); err != nil || len(got.Kvs) != 0 {
		t.Errorf("the election is still held: %v, %v", got, err)
	}
	close(goOn)
	l.start("r1", h)
	l.awaitState(2, volume.Ready)
}

// Whoever overwrites a status while a handler runs has what it says stand until the volume is looked at again.
func TestStatusOverwritten(t *testing.T) {
	l := newLab(t)
	j := &journal{}
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	l.start("r1", handler(func(_ context.Context, _ map[string]string, in input) (string, error) {
		j.note(in)
		once.Do(func() { close(begun); <-goOn })
		return "", nil
	}))
	l.put(configKey(1), config(1, "r1"))
	<-begun
	l.put(statusKey(1), "rubbish")
	close(goOn)
	l.await(1, func(s volume.Status, _ bool) bool { return s.State == volume.Ready })
	j.want(t, "create 1", "create 1")
}
