package agent

import (
	"os/exec"
	"testing"
)

// A predecessor is dead when neither it nor anything that it has started runs.
func TestPredecessor(t *testing.T) {
	dir := t.TempDir()
	next := func() *predecessor {
		p, err := predecessorIn(dir, "/ovs/vpool/p/r1")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := next()
	if lease := first.dead(); lease != 0 {
		t.Errorf("lease %x of nobody", lease)
	}
	first.holds(0xabcdef)
	if second := next(); second.dead() != 0 || second.files() != nil {
		t.Error("the first one lives")
	}
	orphan := exec.Command("sleep", "1000")
	orphan.ExtraFiles = first.files()
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	first.close()
	third := next()
	if third.dead() != 0 {
		t.Error("a handler of the first one runs")
	}
	_ = orphan.Process.Kill()
	_ = orphan.Wait()
	if lease := third.dead(); lease != 0xabcdef {
		t.Errorf("lease %x", lease)
	}
	third.holds(0x12)
	third.close()
	if fourth := next(); fourth.dead() != 0x12 {
		t.Error("a shorter lease is read wrong")
	} else {
		fourth.close()
	}
	if none, err := predecessorIn("", "x"); err != nil || none.dead() != 0 || none.files() != nil {
		t.Error("without a directory there is none")
	}
}
