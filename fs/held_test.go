package fs

import (
	"strings"
	"testing"
	"time"
)

func TestHeldRemoval(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	m.sh("bash", "mv c/port c/port~; test ! -e c/port; test -e c/port~", 0)
	m.want("/ovs/c", config)
	if strings.Contains(strings.Join(m.list("c"), " "), "port ") {
		t.Error("the name is still listed")
	}
	m.sh("bash", "mv c/port~ c/port; test $(cat c/port) = 8080", 0)
	m.want("/ovs/c", config)
	if n := m.store.count(); n != 0 {
		t.Errorf("%d commits", n)
	}
}

func TestHeldRemovalIsCarriedOutInTime(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config}, func(o *Options) { o.HoldRemovals = time.Millisecond })
	m.sh("bash", "mv c/port c/port~", 0)
	without := strings.Replace(config, `"port": 8080, `, "", 1)
	await(t, "the removal is carried out", func() bool { return m.store.value("/ovs/c") == without })
	m.sh("bash", "test $(cat c/port~) = 8080; echo 5 > c/port", 0)
	m.want("/ovs/c", strings.Replace(without, `"last": 1`, `"last": 1,  "port": 5`, 1))
}

func TestHeldRemovalIsCarriedOutAtUnmount(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1", "/ovs/b": "2"})
	m.sh("bash", "mv a a~", 0)
	m.end()
	m.want("/ovs/a", "(no such key)")
}

func TestHeldRemovalIsGivenUp(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	m.sh("bash", "mv c/port c/port~; echo abc | cat > c/port", 1)
	m.quiet()
	if got := m.read("c/port"); got != "8080\n" {
		t.Errorf("the new content did not fit, and now the file reads %q", got)
	}
	m.want("/ovs/c", config)
}

// TestMoveOfArraysToADisk: what mv removes after it has copied it is held back, and goes in the order in which it was removed.
func TestMoveOfArraysToADisk(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d/doc": `{"list": [1, 2, 3, 4, 5, 6, 7, 8], "deep": [[1, 2], [3, [4, 5, 6]], {"a": [7, 8]}]}`, "/ovs/k": "1"})
	if out := m.sh("bash", "mv d $TMPDIR/d", 0); out != "" {
		t.Errorf("it complains: %s", out)
	}
	m.quiet()
	m.wantKeys("/ovs/k")
}

// TestHeldElementsGoInTime: elements that are moved away one by one, and that nothing follows.
func TestHeldElementsGoInTime(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/list": `[1, 2, 3, 4, 5, 6, 7, 8]`}, func(o *Options) { o.HoldRemovals = 20 * time.Millisecond })
	if out := m.sh("bash", "for i in 7 6 5 4 3 2; do mv list/$i $TMPDIR/; done", 0); out != "" {
		t.Errorf("it complains: %s", out)
	}
	await(t, "the elements are gone", func() bool { return m.store.value("/ovs/list") == "[1, 2]" })
	if got := m.problemsOf("remove"); len(got) > 0 {
		t.Errorf("problems: %v", got)
	}
}
