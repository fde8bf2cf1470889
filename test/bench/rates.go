package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// measureRates counts operations per second on warm leaves in random order, in
// one thread and in four.
func measureRates(ctx context.Context, l *lab) error {
	t := l.keyTree()
	plain := filepath.Join(l.memory, "keys")
	if err := errors.Join(l.inEtcd(ctx, t), l.asFiles(t, plain)); err != nil {
		return err
	}
	rw, ro, err := l.both(ctx)
	if err != nil {
		return err
	}
	dirs := map[string]string{onTmpfs: plain, onRW: rw.dir, onRO: ro.dir}
	for _, threads := range []int{1, 4} {
		reading := l.report.row("rates", "open-read-close, "+inThreads(threads), perSecond)
		if threads == 1 {
			reading.bars = []bar{atLeast(onRW, 0.1, onTmpfs), atLeast(onRO, 0.6, onTmpfs)}
		}
		if err := l.measureRate(ctx, reading, t, dirs, threads, l.runs, readLeaf); err != nil {
			return err
		}
		looking := l.report.row("rates", "stat, "+inThreads(threads), perSecond)
		if err := l.measureRate(ctx, looking, t, dirs, threads, l.runs, statLeaf); err != nil {
			return err
		}
	}
	return nil
}

func inThreads(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}

// mostSampled leaves are what a rate is measured with.
const mostSampled = 50_000

// measureRate runs op over leaves below each directory, once to warm up.
func (l *lab) measureRate(ctx context.Context, row *row, t tree, dirs map[string]string, threads, runs int, op leafOp) error {
	var variants []variant
	for _, target := range targets() {
		dir, ok := dirs[target]
		if !ok {
			continue
		}
		paths := shuffled(t, dir)
		once := func() (float64, error) {
			took, err := stopwatch(func() error { return inParallel(paths, threads, op) })
			return float64(len(paths)) / took, err
		}
		if _, err := once(); err != nil {
			return fmt.Errorf("%s on %s: %w", row.name, target, err)
		}
		variants = append(variants, variant{target, once})
	}
	return l.interleave(ctx, row, runs, variants...)
}

// shuffled are the paths of leaves all over the tree below dir, the same ones in
// the same random order every time.
func shuffled(t tree, dir string) []string {
	paths := make([]string, min(t.leaves, mostSampled))
	for i, j := range rand.New(rand.NewPCG(1, 2)).Perm(t.leaves)[:len(paths)] {
		paths[i] = filepath.Join(dir, t.path(j))
	}
	return paths
}

// A leafOp does one thing to one leaf; buf is its thread's own.
type leafOp func(path string, buf []byte) error

// readLeaf reads a leaf, which is never empty.
func readLeaf(path string, buf []byte) error {
	n, err := readInto(path, buf)
	if err == nil && n == 0 {
		err = fmt.Errorf("read %s: empty", path)
	}
	return err
}

// readInto is open, read, close, as system calls and nothing else.
func readInto(path string, buf []byte) (int, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", path, err)
	}
	n, err := syscall.Read(fd, buf)
	closeErr := syscall.Close(fd)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	if closeErr != nil {
		return 0, fmt.Errorf("close %s: %w", path, closeErr)
	}
	return n, nil
}

func statLeaf(path string, _ []byte) error {
	var s syscall.Stat_t
	if err := syscall.Lstat(path, &s); err != nil {
		return fmt.Errorf("stat %s: %w", path, err)
	}
	return nil
}

// inParallel splits paths among OS threads and returns when all are done.
func inParallel(paths []string, threads int, op leafOp) error {
	errs := make([]error, threads)
	var all sync.WaitGroup
	for i := range threads {
		part := paths[len(paths)*i/threads : len(paths)*(i+1)/threads]
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			buf := make([]byte, 4096)
			for _, p := range part {
				if err := op(p, buf); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
