package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

func logCommand() *cli.Command {
	return &cli.Command{
		Name:      "log",
		Usage:     "tell what changed at or below a path, newest first",
		ArgsUsage: "PATH",
		Description: pathHelp + "\n" +
			"Each revision of etcd that changed something is told, as far back as etcd has not been compacted. Its time is known\n" +
			"if PATH is on a mount that was there at the time. The values of secrets are never shown.",
		Flags: storeFlags(formatFlag(),
			&cli.IntFlag{Name: "n", Usage: "tell the newest `COUNT` revisions only"},
			&cli.BoolFlag{Name: "reverse", Usage: "the oldest first"}),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1, " PATH"); err != nil {
				return err
			}
			inJSON, err := asJSON(c)
			if err != nil {
				return err
			}
			if c.IsSet("n") && c.Int("n") < 1 {
				return failf(exitUsage, "-n %d: give the number of revisions to tell", c.Int("n"))
			}
			return withStore(c, c.Args().First(), func(ctx context.Context, s *store) error {
				return printLog(ctx, c, s, inJSON)
			})
		},
	}
}

// logged is one revision as log tells it.
type logged struct {
	Revision int64                `json:"revision"`
	Time     *time.Time           `json:"time,omitempty"`
	Changes  []mapping.Difference `json:"changes"`
}

func printLog(ctx context.Context, c *cli.Context, s *store, inJSON bool) error {
	most := c.Int("n")
	var list []logged
	oldest, err := s.Log(ctx, keyAbove(s.Tree(), s.path), func(step cache.Step) bool {
		changes := slices.Collect(mapping.Diff(step.Old, step.New, s.path))
		if len(changes) == 0 {
			return true
		}
		if most > 0 && len(list) == most {
			list = append(list[:0], list[1:]...)
		}
		list = append(list, logged{Revision: step.New.Revision(), Changes: changes})
		return ctx.Err() == nil
	})
	if err != nil {
		return err
	}
	if _, is := s.Tree().Lookup(s.path); len(list) == 0 && !is {
		return mapping.Errorf(mapping.NotFound, s.path, "there is nothing, and nothing was since revision %d, which is as far as etcd remembers", oldest)
	}
	if !c.Bool("reverse") {
		slices.Reverse(list)
	}
	times := revisionTimes(s.mountpoint)
	for i := range list {
		if at, ok := times[list[i].Revision]; ok {
			list[i].Time = &at
		}
		if err := list[i].print(c.App.Writer, inJSON); err != nil {
			return err
		}
	}
	if oldest > 1 {
		_, _ = fmt.Fprintf(c.App.ErrWriter, "ovscfgfs: what was before revision %d is not known: etcd was compacted\n", oldest)
	}
	return nil
}

func (l *logged) print(w io.Writer, inJSON bool) error {
	if inJSON {
		return printJSON(w, l)
	}
	at := "time unknown"
	if l.Time != nil {
		at = l.Time.Local().Format(time.RFC3339)
	}
	if _, err := fmt.Fprintf(w, "revision %d, %s\n", l.Revision, at); err != nil {
		return err
	}
	for _, d := range l.Changes {
		if _, err := fmt.Fprintf(w, "  %s\n", d); err != nil {
			return err
		}
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// keyAbove is the key of what is at a path. Where nothing is, what was there may have been a
// key or in a document: it is the key of the nearest directory that there is.
func keyAbove(tree *mapping.Tree, path string) string {
	for {
		if n, ok := tree.Lookup(path); ok {
			return n.Key()
		}
		path = path[:max(0, strings.LastIndexByte(path, '/'))]
	}
}

func diffCommand() *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "tell what differs between two revisions, or one and now",
		ArgsUsage: "REV[..REV] [PATH]",
		Description: pathHelp + "\n" +
			"Each line is a path with + (new), - (gone) or ~ (old value -> new value). The values of secrets are never shown.\n" +
			"Exits with 0 when nothing differs, with 1 when something does, and with another code when it cannot be told.",
		Flags:        storeFlags(formatFlag()),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 2, " REV[..REV] [PATH]"); err != nil {
				return err
			}
			inJSON, err := asJSON(c)
			if err != nil {
				return err
			}
			from, to, err := parseRevisions(c.Args().First())
			if err != nil {
				return err
			}
			return withStore(c, c.Args().Get(1), func(ctx context.Context, s *store) error {
				differs, err := printDiff(ctx, c.App.Writer, s, from, to, inJSON)
				switch {
				case mapping.KindOf(err) == mapping.NotFound:
					return failf(exitUsage, "%w", err)
				case err == nil && differs:
					return &failure{code: exitFailure}
				}
				return err
			})
		},
	}
}

// parseRevisions reads REV or REV..REV; a second one that is not there is 0.
func parseRevisions(text string) (from, to int64, err error) {
	first, second, both := strings.Cut(text, "..")
	if from, err = parseRevision(first); err != nil {
		return 0, 0, err
	}
	if both && second != "" {
		to, err = parseRevision(second)
	}
	return from, to, err
}

func printDiff(ctx context.Context, w io.Writer, s *store, from, to int64, inJSON bool) (differs bool, err error) {
	old, err := s.At(ctx, from)
	if err != nil {
		return false, err
	}
	now := s.Tree()
	if to != 0 {
		if now, err = s.At(ctx, to); err != nil {
			return false, err
		}
	}
	if !there(old, s.path) && !there(now, s.path) {
		return false, mapping.Errorf(mapping.NotFound, s.path, "there is nothing in either of the revisions %d and %d", old.Revision(), now.Revision())
	}
	for d := range mapping.Diff(old, now, s.path) {
		differs = true
		if inJSON {
			err = printJSON(w, d)
		} else {
			_, err = fmt.Fprintln(w, d)
		}
		if err != nil {
			return true, err
		}
	}
	return differs, nil
}

func there(tree *mapping.Tree, path string) bool {
	_, ok := tree.Lookup(path)
	return ok
}

func restoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "make a path what it was in an older revision",
		ArgsUsage: "REV PATH",
		Description: pathHelp + "\n" +
			"A field, a document or a whole directory is put back, in one transaction that touches only what differs; what was not\n" +
			"there is removed. What was changed is printed as by diff. The values of secrets are never shown.",
		Flags:        storeFlags(formatFlag(), validateFlag(), &cli.BoolFlag{Name: "dry-run", Usage: "print what would be changed, and change nothing"}),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 2, 2, " REV PATH"); err != nil {
				return err
			}
			inJSON, err := asJSON(c)
			if err != nil {
				return err
			}
			revision, err := parseRevision(c.Args().First())
			if err != nil {
				return err
			}
			return withStore(c, c.Args().Get(1), func(ctx context.Context, s *store) error {
				return restore(ctx, c, s, revision, inJSON)
			})
		},
	}
}

func restore(ctx context.Context, c *cli.Context, s *store, revision int64, inJSON bool) error {
	was, err := s.At(ctx, revision)
	if err != nil {
		return err
	}
	known, err := catalogue.Load()
	if err != nil {
		return err
	}
	held, err := newRules(c, known)
	if err != nil {
		return err
	}
	var worse []catalogue.Problem
	edit := held.over(newVolumeRules(known).over(volume.KeepAnswers(mapping.Restore(s.path, was))), &worse)
	var before *mapping.Tree
	var plan mapping.Plan
	remember := func(tree *mapping.Tree) (mapping.Plan, error) {
		before = tree
		plan, err = edit(tree)
		return plan, err
	}
	if c.Bool("dry-run") {
		_, err = remember(s.Tree())
	} else {
		err = s.Commit(ctx, remember)
	}
	switch {
	case err != nil && len(worse) > 0:
		return failf(exitRefused, "%w", err)
	case err != nil:
		return err
	}
	warn(c.App.ErrWriter, worse)
	after, _ := before.With(&plan, time.Time{})
	for d := range mapping.Diff(before, after, s.path) {
		if inJSON {
			err = printJSON(c.App.Writer, d)
		} else {
			_, err = fmt.Fprintln(c.App.Writer, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
