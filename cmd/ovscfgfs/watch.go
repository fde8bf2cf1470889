package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

func watchCommand() *cli.Command {
	return &cli.Command{
		Name:      "watch",
		Usage:     "tell changes as they come",
		ArgsUsage: "[PATH]...",
		Description: pathHelp + "\n" +
			"Without a PATH the whole prefix is watched. Each line tells one field or value; those of secrets are never shown.\n" +
			"Ends at SIGINT or SIGTERM with 0, when CMD fails with 1.",
		Flags: storeFlags(formatFlag(),
			&cli.Int64Flag{Name: "rev", Usage: "begin with the changes of revision `REV`, as far as etcd remembers"},
			&cli.StringFlag{Name: "exec", Usage: "run `CMD` with sh for each revision: its lines (in JSON) on standard input, OVSCFGFS_REVISION in the environment"}),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			inJSON, err := asJSON(c)
			if err != nil {
				return err
			}
			from := c.Int64("rev")
			if c.IsSet("rev") && from < 1 {
				return failf(exitUsage, "--rev %d is no revision of etcd", from)
			}
			queue := newChanges()
			return withStorePublishing(c, c.Args().First(), queue.add, func(_ context.Context, s *store) error {
				paths, err := watchPaths(c, s)
				if err != nil {
					return err
				}
				ctx, stop := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
				defer stop()
				w := &changeWriter{out: c.App.Writer, errors: c.App.ErrWriter, json: inJSON, command: c.String("exec"), paths: paths}
				return watch(ctx, s, w, queue, from)
			})
		},
	}
}

// watchPaths returns the shown paths of the arguments; all are on what the
// first one is on.
func watchPaths(c *cli.Context, s *store) ([]string, error) {
	paths := []string{s.path}
	prefix, err := prefixFlag(c)
	if err != nil {
		return nil, err
	}
	for _, argument := range c.Args().Tail() {
		a, err := address(argument, prefix)
		if err != nil {
			return nil, failf(exitUsage, "%w", err)
		}
		path, err := a.In(s.Tree())
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// watch writes the changes since a revision that are past, and then what comes.
func watch(ctx context.Context, s *store, w *changeWriter, queue *changes, from int64) error {
	if from > 0 {
		if err := w.past(ctx, s, from); err != nil {
			return err
		}
	}
	for {
		old, now, ok := queue.next(ctx)
		if !ok {
			return nil
		}
		if now.Revision() <= w.told {
			continue
		}
		if err := w.change(ctx, old, now); err != nil {
			return err
		}
	}
}

// past tells what etcd still knows, from a revision on.
func (w *changeWriter) past(ctx context.Context, s *store, from int64) error {
	var failed error
	oldest, err := s.Log(ctx, s.Tree().Settings().Prefix, func(step cache.Step) bool {
		if step.New.Revision() >= from {
			failed = w.change(ctx, step.Old, step.New)
		}
		w.told = max(w.told, step.New.Revision())
		return failed == nil && ctx.Err() == nil
	})
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return nil
	case err == nil && oldest > from:
		return failf(exitUsage, "what changed in revision %d is not known any more: etcd was compacted at %d; give --rev %d or a later one", from, oldest, oldest+1)
	}
	return err
}

// changeWriter tells changes below some paths.
type changeWriter struct {
	out, errors io.Writer
	json        bool
	command     string
	paths       []string
	told        int64 // the newest revision
}

// change tells one revision.
func (w *changeWriter) change(ctx context.Context, old, now *mapping.Tree) error {
	w.told = now.Revision()
	var lines, texts bytes.Buffer
	for _, path := range w.paths {
		for d := range mapping.Diff(old, now, path) {
			line, err := d.MarshalJSON()
			if err != nil {
				return err
			}
			fmt.Fprintf(&lines, `{"revision":%d,%s`+"\n", now.Revision(), line[1:])
			fmt.Fprintf(&texts, "%d %s\n", now.Revision(), d)
		}
	}
	switch {
	case lines.Len() == 0:
		return nil
	case w.command != "":
		return w.run(ctx, now.Revision(), lines.Bytes())
	case w.json:
		_, err := w.out.Write(lines.Bytes())
		return err
	}
	_, err := w.out.Write(texts.Bytes())
	return err
}

// run hands a revision's lines to the command and waits for its end.
func (w *changeWriter) run(ctx context.Context, revision int64, lines []byte) error {
	cmd := exec.Command("sh", "-c", w.command)
	cmd.Env = append(os.Environ(), "OVSCFGFS_REVISION="+strconv.FormatInt(revision, 10))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(lines), w.out, w.errors
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		if ctx.Err() != nil {
			return nil
		}
		return failf(exitFailure, "%s: %v at revision %d; go on with --rev %d", strings.TrimSpace(w.command), exit, revision, revision)
	case err != nil:
		return failf(exitFailure, "--exec %s cannot be run: %w", w.command, err)
	}
	return nil
}

// changes is a queue of published trees that never blocks the publisher.
type changes struct {
	mu   sync.Mutex
	list [][2]*mapping.Tree
	wake chan struct{}
}

func newChanges() *changes { return &changes{wake: make(chan struct{}, 1)} }

func (q *changes) add(old, now *mapping.Tree, keys []string) {
	if len(keys) == 0 {
		return
	}
	q.mu.Lock()
	q.list = append(q.list, [2]*mapping.Tree{old, now})
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next waits for a change; not ok when ctx is done.
func (q *changes) next(ctx context.Context) (old, now *mapping.Tree, ok bool) {
	for {
		q.mu.Lock()
		if len(q.list) > 0 {
			pair := q.list[0]
			q.list[0] = [2]*mapping.Tree{}
			q.list = q.list[1:]
			q.mu.Unlock()
			return pair[0], pair[1], true
		}
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil, nil, false
		}
	}
}
