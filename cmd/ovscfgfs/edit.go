package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
)

func editCommand() *cli.Command {
	return &cli.Command{
		Name:      "edit",
		Usage:     "edit what is at an address in an editor",
		ArgsUsage: "ADDRESS",
		Description: addressHelp + "\n" +
			"The editor is $VISUAL, else $EDITOR, else the first there is of editor, vi and nano. A value is edited as its file has it, a document\n" +
			"as JSON, a directory of keys as one JSON object. What was changed is checked and committed as one transaction, merged with what others\n" +
			"changed elsewhere meanwhile. If others changed the same, or the text is refused, edit again, or give up: the text is kept then in a file\n" +
			"that is named. Exits with 9 when there is nothing, with 10 when the text is refused, and with 75 when others changed the same.",
		Flags: entryFlags(validateFlag(),
			boolFlag("yaml", "edit a document as YAML"),
			boolFlag("create", "begin with an empty text when there is nothing")),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1, " ADDRESS"); err != nil {
				return err
			}
			return withEntry(c, c.Args().First(), func(ctx context.Context, e *entry) error {
				x := &editing{entry: e, context: c}
				if err := x.begin(ctx); err != nil {
					return err
				}
				return x.run()
			})
		},
	}
}

// editing is one run of edit: the tree that the text was made of, and the text.
type editing struct {
	*entry
	context *cli.Context
	scope   cache.Scope
	base    *mapping.Tree
	path    string
	// How the text is to be taken.
	dir, yaml, meaning, json bool
	shown                    []byte
	draft                    *editorFile
}

// begin reads what is to be edited.
func (x *editing) begin(ctx context.Context) error {
	var n mapping.Node
	var err error
	if n, x.path, x.base, x.scope, err = x.read(ctx, true); err != nil {
		return err
	}
	if !n.Valid() && !x.context.Bool("create") {
		return mapping.Errorf(mapping.NotFound, x.address.String(), "there is nothing there to edit (--create makes it)")
	}
	x.dir, x.yaml = n.Valid() && n.IsDir(), x.context.Bool("yaml")
	switch {
	case x.dir && x.yaml:
		x.shown, err = mapping.Render(n, mapping.YAML)
	case x.dir:
		if x.shown, err = mapping.Render(n, mapping.JSON); err == nil {
			x.shown, x.meaning = readable(x.shown)
		}
	case x.yaml:
		return failf(exitUsage, "%s is no document or directory, and has no form in YAML: leave --yaml out", x.address)
	case mapping.HalfSurrogate(n):
		// Its text as a file would replace what UTF-8 cannot hold.
		x.json, x.shown = true, append(bytes.Clone(n.JSON()), '\n')
	default:
		x.shown = n.Content()
	}
	return err
}

// readable gives a document that is stored on one line lines to edit. It reports whether it did:
// then the document keeps the bytes of what is not changed.
func readable(text []byte) ([]byte, bool) {
	if bytes.IndexByte(bytes.TrimSpace(text), '\n') >= 0 || len(text) < 40 {
		return text, false
	}
	var lines bytes.Buffer
	if json.Indent(&lines, bytes.TrimSpace(text), "", "  ") != nil {
		return text, false
	}
	lines.WriteByte('\n')
	return lines.Bytes(), true
}

// name is the last part of the path with the suffix that editors know the text by.
func (x *editing) suffix() string {
	switch {
	case x.yaml:
		return ".yaml"
	case x.dir || x.json:
		return ".json"
	}
	return ".txt"
}

// change is the edit that the text stands for.
func (x *editing) change(text []byte) mapping.Edit {
	switch {
	case x.dir && x.yaml:
		return mapping.WriteView(x.path, mapping.YAML, text)
	case x.dir && x.meaning:
		return mapping.WriteMeaning(x.path, mapping.JSON, text)
	case x.dir:
		return mapping.WriteView(x.path, mapping.JSON, text)
	}
	return x.address.Write(text, x.json, mapping.WriteOptions{})
}

// commit makes what was done to the text, and reports whether there was anything to do.
func (x *editing) commitText(ctx context.Context, text []byte) (bool, error) {
	if bytes.Equal(text, x.shown) {
		return false, nil
	}
	plan, err := x.change(text)(x.base)
	if err != nil || plan.Empty() {
		return false, err
	}
	mine, keys := x.base.With(&plan, time.Time{})
	revision, err := x.commit(ctx, x.scope, x.context.App.ErrWriter, mapping.Merge(x.base, mine, keys))
	return revision > 0, err
}

// run edits until the text is committed or given up.
func (x *editing) run() error {
	draft, err := newEditorFile(x.shown, x.suffix())
	if err != nil {
		return err
	}
	x.draft = draft
	for {
		text, err := draft.edit(x.context)
		if err != nil {
			return x.givenUp(err, text)
		}
		changed, err := x.finish(text)
		if err == nil {
			if !changed {
				_, _ = fmt.Fprintln(x.context.App.ErrWriter, "ovscfgfs: nothing was changed")
			}
			return draft.remove()
		}
		tell(x.context, err)
		if !again(x.context) {
			return x.givenUp(err, text)
		}
		if err := x.rebase(err); err != nil {
			return x.givenUp(err, text)
		}
	}
}

// finish commits. A signal meanwhile waits for it: whether it was made has to be known.
func (x *editing) finish(text []byte) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), x.context.Duration("command-timeout"))
	defer cancel()
	return x.commitText(ctx, text)
}

// givenUp is the end without a commit. A text that was changed stays in its file.
func (x *editing) givenUp(cause error, text []byte) error {
	code, words := verdict(notThere(cause))
	var conflicts mapping.Conflicts
	if errors.As(cause, &conflicts) {
		code = exitConflict
	}
	if text != nil && bytes.Equal(text, x.shown) {
		_ = x.draft.remove()
		return failf(code, "%s; nothing was changed", words)
	}
	return failf(code, "%s; nothing was changed, and the text is kept in %s", words, x.draft.name)
}

// rebase makes what is there now the base of the text, as far as the text is to win: where both changed
// the same, that is what the editor was told of, and the rest of what others did stays theirs.
func (x *editing) rebase(cause error) error {
	var conflicts mapping.Conflicts
	if !errors.As(cause, &conflicts) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), x.context.Duration("command-timeout"))
	defer cancel()
	now, err := x.Direct.Read(ctx, x.scope)
	if err != nil {
		return err
	}
	for _, conflict := range conflicts {
		plan, err := mapping.Restore(conflict.Path, now)(x.base)
		if err != nil {
			return err
		}
		x.base, _ = x.base.With(&plan, time.Time{})
	}
	return nil
}

// tell says why the text was not committed.
func tell(c *cli.Context, err error) {
	var conflicts mapping.Conflicts
	if errors.As(err, &conflicts) {
		for _, conflict := range conflicts {
			_, _ = fmt.Fprintf(c.App.ErrWriter, "ovscfgfs: %s: %s\n", conflict.Path, oneLine(conflict.Between("the text", "etcd")))
		}
		return
	}
	_, words := verdict(err)
	_, _ = fmt.Fprintln(c.App.ErrWriter, "ovscfgfs: "+oneLine(words))
}
