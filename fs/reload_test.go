package fs

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// touch adds one to the counter of a service, in one commit.
func TestTouchReload(t *testing.T) {
	m := mountTree(t, map[string]string{
		"/ovs/alba/asds/a/config": `{"port": 1}`, "/ovs/alba/asds/b/config": `{}`, "/ovs/alba/asds/b/reload": "8", "/ovs/alba/other/reload": "3",
	})
	for _, step := range []struct{ command, key, want string }{
		{"touch alba/asds/a/reload && cat alba/asds/a/reload | grep -qx 1", "/ovs/alba/asds/a/reload", "1"},
		{"touch alba/asds/b/reload && cat alba/asds/b/reload | grep -qx 9", "/ovs/alba/asds/b/reload", "9"},
		{"touch alba/asds/b/reload && grep -qx 10 alba/asds/b/reload", "/ovs/alba/asds/b/reload", "10"},
		{"touch -m -c alba/asds/b/reload", "/ovs/alba/asds/b/reload", "11"},
		{"echo 5 > alba/asds/b/reload", "/ovs/alba/asds/b/reload", "5"},
	} {
		before := m.store.count()
		m.sh("bash", step.command, 0)
		m.want(step.key, step.want)
		if n := m.store.count() - before; n != 1 {
			t.Errorf("%s: %d commits", step.command, n)
		}
	}
	before := m.store.count()
	m.sh("bash", `touch -d @5 alba/asds/b/reload; touch alba/other/reload alba/asds/a/config/port; touch -a alba/asds/b/reload
		test $(stat -c %Y alba/asds/b/reload) = 5
		: >> alba/asds/b/reload; cp -p alba/asds/b/reload alba/asds/b/.x`, 0)
	m.want("/ovs/alba/asds/b/reload", "5")
	if n := m.store.count() - before; n != 0 {
		t.Errorf("what is no touch of a counter made %d commits", n)
	}
}

// A value that is no counter is refused in words and stays.
func TestTouchNoCounter(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/alba/asds/a/reload": `"yes"`})
	m.wantErr("touch", os.Chtimes(m.path("alba/asds/a/reload"), time.Time{}, time.Time{}), nil)
	m.wantErr("touch", syscall.Utimes(m.path("alba/asds/a/reload"), nil), syscall.EINVAL)
	m.want("/ovs/alba/asds/a/reload", `"yes"`)
}

// Touches at once are all counted, also when one of them makes the counter.
func TestTouchesAtOnce(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/alba/asds/a/config": `{}`})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { m.sh("bash", "for i in 1 2 3 4 5; do touch alba/asds/a/reload; done", 0) })
	}
	wg.Wait()
	m.want("/ovs/alba/asds/a/reload", "40")
}

// In a transaction the counter goes with the edits, as one change.
func TestTouchInTransaction(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/alba/asds/a/config": `{"port": 1}`, "/ovs/alba/asds/a/reload": "1"})
	m.sh("bash", `cd .ovscfgfs/txn; mkdir t; echo 2 > t/alba/asds/a/config/port; touch t/alba/asds/a/reload; grep -qx 2 t/alba/asds/a/reload; mv t t.commit`, 0)
	m.want("/ovs/alba/asds/a/config", `{"port": 2}`)
	m.want("/ovs/alba/asds/a/reload", "2")
}
