package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func getCommand() *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "print what is at an address, secrets too",
		ArgsUsage: "ADDRESS",
		Description: addressHelp + "\n" +
			"A value is printed as its file has it; a document as its stored text, a directory of keys as one JSON object, as their view D.json.\n" +
			"Exits with 9 when there is nothing.",
		Flags: entryFlags(
			boolFlag("stored", "print the bytes that etcd has: of a key its value, of a field its JSON text"),
			boolFlag("json", "print JSON text: a string with its quotes, a raw value as a string"),
			boolFlag("yaml", "print YAML")),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1, " ADDRESS"); err != nil {
				return err
			}
			form, err := oneOf(c, "stored", "json", "yaml")
			if err != nil {
				return err
			}
			return withEntry(c, c.Args().First(), func(ctx context.Context, e *entry) error {
				return e.get(ctx, c, form)
			})
		},
	}
}

// oneOf returns which one of some flags is given, "" for none.
func oneOf(c *cli.Context, names ...string) (string, error) {
	found := ""
	for _, name := range names {
		switch {
		case !c.Bool(name):
		case found != "":
			return "", failf(exitUsage, "--%s and --%s are two forms: give one of them", found, name)
		default:
			found = name
		}
	}
	return found, nil
}

func (e *entry) get(ctx context.Context, c *cli.Context, form string) error {
	n, path, _, _, err := e.read(ctx, form != "stored")
	if err != nil {
		return err
	}
	var text []byte
	switch {
	case !n.Valid() && form == "":
		if text, err = e.view(ctx); text == nil && err == nil {
			err = e.absent()
		}
	case !n.Valid():
		return e.absent()
	case form != "stored":
		text, err = render(n, form)
	case n.Stored() == nil:
		return mapping.Errorf(mapping.IsDirectory, path, "is a directory of keys, which etcd has no bytes of: leave --stored out")
	default:
		text = n.Stored()
	}
	if err != nil {
		return err
	}
	if form == "" && n.Valid() && !n.IsDir() && mapping.HalfSurrogate(n) {
		_, _ = fmt.Fprintf(c.App.ErrWriter, "ovscfgfs: note: %s has half a surrogate pair, which is printed as \uFFFD: --json prints what is stored\n", path)
	}
	_, err = c.App.Writer.Write(text)
	return err
}

// view is what an address that names nothing has as a view of a directory; nil if it is none.
func (e *entry) view(ctx context.Context) ([]byte, error) {
	target, format, ok := mapping.ViewOf(e.address.String())
	if !ok {
		return nil, nil
	}
	prefix := e.Settings().Prefix
	address, err := mapping.ParseAddress(target, prefix, e.mountpoint)
	if err != nil {
		return nil, nil
	}
	of := *e
	of.address = address
	of.keys, of.names = address.Keys(prefix)
	n, _, _, _, err := of.read(ctx, true)
	if err != nil || !n.Valid() || !n.IsDir() {
		return nil, err
	}
	return mapping.Render(n, format)
}

// render writes an entry down: "" is as its file, or its view as JSON.
func render(n mapping.Node, form string) ([]byte, error) {
	switch {
	case form == "yaml" && mapping.HalfSurrogate(n):
		return nil, mapping.Errorf(mapping.Invalid, n.Name(), "has half a surrogate pair in a string, which YAML cannot hold: take --json")
	case form == "yaml":
		return mapping.Render(n, mapping.YAML)
	case n.IsDir():
		return mapping.Render(n, mapping.JSON)
	case form == "json":
		return append(bytes.Clone(n.JSON()), '\n'), nil
	}
	return n.Content(), nil
}

func setCommand() *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "write a value, by the rules of writing its file",
		ArgsUsage: "ADDRESS VALUE|-",
		Description: addressHelp + "\n" +
			"What is there keeps its type; what is not is made, with the type that the catalogue or its text says. A document is replaced by JSON text.\n" +
			"\"KEY|a.b\" also makes the objects on the way, and the document. VALUE - is standard input. Exits with 10 when the value is refused.",
		Flags: entryFlags(validateFlag(),
			stringFlag("type", "", "give it this `TYPE`: object array string number boolean null raw"),
			boolFlag("json", "VALUE is JSON text, a string with its quotes"),
			boolFlag("no-create", "refuse to make what is not there"),
			boolFlag("print-revision", "print the revision of the change, 0 if it changed nothing")),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 2, 2, " ADDRESS VALUE|-"); err != nil {
				return err
			}
			o := mapping.WriteOptions{Type: mapping.Type(c.String("type")), MustExist: c.Bool("no-create")}
			if !types[o.Type] {
				return failf(exitUsage, "--type %q is none of object, array, string, number, boolean, null and raw", o.Type)
			}
			content, err := valueArgument(c, c.Args().Get(1))
			if err != nil {
				return err
			}
			return withEntry(c, c.Args().First(), func(ctx context.Context, e *entry) error {
				revision, err := e.commit(ctx, e.scope(), c.App.ErrWriter, e.set(content, c.Bool("json"), o))
				if err == nil && c.Bool("print-revision") {
					_, err = fmt.Fprintln(c.App.Writer, revision)
				}
				return err
			})
		},
	}
}

// types are what --type takes.
var types = map[mapping.Type]bool{
	"": true, mapping.Object: true, mapping.Array: true, mapping.String: true, mapping.Number: true, mapping.Boolean: true, mapping.Null: true, mapping.Raw: true,
}

// valueArgument is a value of the command line, "-" being standard input.
func valueArgument(c *cli.Context, argument string) ([]byte, error) {
	if argument != "-" {
		return []byte(argument), nil
	}
	var content bytes.Buffer
	if _, err := content.ReadFrom(c.App.Reader); err != nil {
		return nil, failf(exitInput, "standard input cannot be read: %w", err)
	}
	return content.Bytes(), nil
}

// set writes a leaf, or a document as JSON text.
func (e *entry) set(content []byte, isJSON bool, o mapping.WriteOptions) mapping.Edit {
	return func(t *mapping.Tree) (mapping.Plan, error) {
		path, err := e.address.In(t)
		if err != nil {
			return mapping.Plan{}, err
		}
		n, _ := t.Lookup(path)
		switch {
		case hasKeys(t, n):
			return mapping.Plan{}, mapping.Errorf(mapping.IsDirectory, path, "is a directory of keys, which is not replaced by one value: set what is in it, or use edit or import")
		case n.Valid() && n.IsDir():
			isJSON = true
		}
		return e.address.Write(content, isJSON, o)(t)
	}
}
