// Package model tests the whole program against a model of the tree: random
// operations on two mounts and by a client of etcd, after each of which the
// mounts, etcd and the model must agree, and what was refused must have
// changed nothing. Meanwhile others read, and watch with inotify.
//
// After each step all keys in etcd are compared, and on both mounts: every entry
// that the model says has changed (content, size, absence), what the operation
// named, whether it was refused or not, the listings these are in, and one entry
// by chance. Everything of one mount, unchanged as it may be, after each
// -every-th step, in turn, and everything of both after transactions. Types and
// views are looked at for one entry of 20. A seed that fails at such a step is
// narrowed with -whole, which compares everything after each.
//
// The seed is always the same unless one is asked for: new bugs are looked for
// by hand, and CI says whether something broke. A million steps:
//
//	OVSCFGFS_TEST_RACE=0 TMPDIR=/dev/shm go test ./test/model -timeout 0 -v -args -seed 0 -worlds 2 -steps 500000
package model

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	seedFlag   = flag.Uint64("seed", 1, "seed of the random operations; 0 takes a new one")
	stepsFlag  = flag.Int("steps", 500, "how many operations in each world")
	worldsFlag = flag.Int("worlds", 2, "how many etcds, with two mounts each, at once; each has the next seed")
	everyFlag  = flag.Int("every", 25, "after how many steps everything is compared")
	wholeFlag  = flag.Bool("whole", false, "compare everything after each step")
	logFlag    = flag.Int("log", 40, "how many of the last operations are told when a step fails")
	quietFlag  = flag.Bool("quiet", false, "nobody reads or watches meanwhile")
	slackFlag  = flag.Duration("slack", 500*time.Microsecond, "how much later sleeps of all processes may end, which saves a third of the processor's time; 0 for the system's own")
)

func TestModel(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	if *wholeFlag {
		*everyFlag = 1
	}
	if *slackFlag > 0 {
		if err := setTimerSlack(*slackFlag); err != nil {
			t.Logf("all takes longer: the timers' slack cannot be set: %v", err)
		}
	}
	for i := range *worldsFlag {
		t.Run(fmt.Sprintf("seed=%d", seed+uint64(i)), func(t *testing.T) {
			t.Parallel()
			live(t, seed+uint64(i))
		})
	}
}

// live makes the steps of one world.
func live(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	began := time.Now()
	for step := range *stepsFlag {
		if err := w.step(step); err != nil {
			t.Fatalf("seed %d, step %d: %v\nthe last operations:\n%s\nthe model:\n%s", seed, step, err, strings.Join(w.log, "\n"), w.model)
		}
		if n := step + 1; n%10_000 == 0 {
			t.Logf("seed %d: %d steps, %.0f a second", seed, n, float64(n)/time.Since(began).Seconds())
		}
	}
	t.Logf("seed %d: %d steps in %.1f s, %v", seed, *stepsFlag, time.Since(began).Seconds(), w.counts)
}
