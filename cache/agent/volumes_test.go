package agent_test

import (
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

// A volume's life, asked for by plain puts, as etcdctl does.
func TestLifecycle(t *testing.T) {
	l := newLab(t)
	j := &journal{}
	l.start("r1", j)
	l.put(configKey(1), config(1, "r1", "sco_size", "4"))
	s := l.awaitState(1, volume.Ready)
	if s.Owner != "r1" || s.Config["sco_size"] != 4.0 || len(s.Applied) != 4 || s.Generation != 0 || s.UpdatedAt == "" {
		t.Errorf("status %+v", s)
	}
	l.put(configKey(2), config(2, "r1", "parent_volume_id", `"`+name(1)+`"`, "snapshot_id", `"`+name(9)+`"`))
	l.awaitState(2, volume.Ready)
	l.put(configKey(1), config(1, "r1", "sco_size", "8"), requestKey(1), `{"action": "update", "generation": 3}`)
	s = l.await(1, func(s volume.Status, _ bool) bool { return s.Generation == 3 && s.State == volume.Ready })
	if len(s.Applied) != 1 || s.Applied[0].Name != "sco_size" || s.Applied[0].Old != 4.0 || s.Applied[0].New != 8.0 {
		t.Errorf("applied %+v", s.Applied)
	}
	j.want(t, "create 1", "clone 2", "update 1 sco_size")

	// The parent of a clone waits for it to go.
	l.del(configKey(1))
	if s := l.awaitState(1, volume.Pending); s.Error == "" {
		t.Errorf("status %+v", s)
	}
	l.del(configKey(2))
	l.awaitGone(1)
	l.awaitGone(2)
	j.want(t, "delete 2", "delete 1")
	if got, err := l.Get(l.ctx, requestKey(1)); err != nil || len(got.Kvs) != 0 {
		t.Errorf("the request is left: %v, %v", got, err)
	}

	// A clone waits for its parent.
	l.put(configKey(4), config(4, "r1", "parent_volume_id", `"`+name(3)+`"`))
	l.awaitState(4, volume.Pending)
	l.put(configKey(3), config(3, "nobody")) // it still waits
	l.put(configKey(5), config(5, "r1"))
	l.awaitState(5, volume.Ready)
	j.want(t, "create 5")
	l.put(configKey(3), config(3, "r1"))
	l.awaitState(4, volume.Ready)
	j.want(t, "create 3", "clone 4")
}

// The new vrouter's agent migrates, and the old one deletes nothing.
func TestMigrate(t *testing.T) {
	l := newLab(t)
	one, two := &journal{}, &journal{}
	l.start("r1", one)
	l.start("r2", two)
	l.put(configKey(1), config(1, "r1"))
	l.awaitState(1, volume.Ready)
	l.put(configKey(1), config(1, "r2", "sco_size", "4"))
	s := l.await(1, func(s volume.Status, _ bool) bool { return s.State == volume.Ready && s.Owner == "r2" })
	if len(s.Applied) != 2 {
		t.Errorf("applied %+v", s.Applied)
	}
	one.want(t, "create 1")
	two.want(t, "migrate 1 sco_size,volume_router")
	l.del(configKey(1))
	l.awaitGone(1)
	one.want(t)
	two.want(t, "delete 1")
}

// Whatever changed while no agent ran is done when one starts, each once.
func TestDownForADay(t *testing.T) {
	l := newLab(t)
	j := &journal{}
	r := l.start("r1", j)
	for n := 1; n <= 3; n++ {
		l.put(configKey(n), config(n, "r1"))
		l.awaitState(n, volume.Ready)
	}
	r.end(t)
	j.want(t, "create 1", "create 2", "create 3")
	for _, size := range []string{"4", "8", "16"} {
		l.put(configKey(1), config(1, "r1", "sco_size", size))
	}
	l.del(configKey(2))
	l.put(configKey(4), config(4, "r1"))
	l.del(configKey(4))
	l.start("r1", j)
	l.awaitGone(2)
	l.await(1, func(s volume.Status, _ bool) bool { return s.State == volume.Ready && s.Config["sco_size"] == 16.0 })
	r = l.start("r2", j)
	r.end(t)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) != 2 {
		t.Errorf("the handler was asked for %q", j.lines)
	}
}
