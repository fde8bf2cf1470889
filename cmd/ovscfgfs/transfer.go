package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/transfer"
	"github.com/openvstorage/ovscfgfs/fs/scratch"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

// The formats of import and export.
const (
	formatJSON = "json"
	formatYAML = "yaml"
	formatTree = "tree"
)

const formatHelp = "json: one object, full key -> stored value as text, {\"base64\": \"...\"} for bytes that are not; yaml: one mapping, full key -> what the\n" +
	"value means; tree: a directory, the files as a mount shows them."

func importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "put the keys of a file, or the files of a directory, into etcd",
		ArgsUsage: "FILE|DIR|-",
		Description: "The formats are " + formatHelp + " A directory is tree, *.yaml and *.yml are yaml, anything else, and standard\n" +
			"input (-), is json. What is there already is overwritten, the rest stays. It is one transaction if that is not larger than etcd takes. Exits\n" +
			"with 7 when the file is wrong, with 10 when the catalogue refuses it.",
		Flags: storeFlags(validateFlag(), transferFormat(),
			boolFlag("if-empty", "do nothing when the prefix holds a key already"),
			boolFlag("prune", "remove the keys that the file does not have, and the entries that the directory does not have")),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, 1, " FILE|DIR|-"); err != nil {
				return err
			}
			prefix, err := prefixFlag(c)
			if err != nil {
				return err
			}
			known, err := catalogue.Load()
			if err != nil {
				return err
			}
			rules, err := newRules(c, known)
			if err != nil {
				return err
			}
			i, err := newImport(c.Args().First(), c.String("format"), prefix, rules)
			if err != nil {
				return err
			}
			i.options.IfEmpty, i.options.Prune = c.Bool("if-empty"), c.Bool("prune")
			return withClient(c, func(client *clientv3.Client) error {
				d, err := direct(c, client, prefix, known)
				if err != nil {
					return err
				}
				ctx, cancel := context.WithTimeout(c.Context, loadTime)
				defer cancel()
				result, err := i.run(ctx, d)
				for _, line := range i.told {
					_, _ = fmt.Fprintln(c.App.ErrWriter, "ovscfgfs: "+oneLine(line))
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.App.Writer, resultLine(result))
				return err
			})
		},
	}
}

func transferFormat() cli.Flag {
	return stringFlag("format", "", "json, yaml or tree (default: what the name says)")
}

// resultLine tells what an import did.
func resultLine(r transfer.Result) string {
	line := fmt.Sprintf("%d keys written", r.Written)
	if r.Removed > 0 {
		line += fmt.Sprintf(", %d removed", r.Removed)
	}
	if r.Same > 0 {
		line += fmt.Sprintf(", %d were so already", r.Same)
	}
	if r.Transactions > 1 {
		line += fmt.Sprintf(", in %d transactions: it is too large for one", r.Transactions)
	}
	return line
}

// importing is a file or directory that was read to be imported.
type importing struct {
	name    string
	source  transfer.Source
	options transfer.Options
	rules   rules
	worse   []catalogue.Problem
	told    []string // what a person should know
	prefix  string
}

func newImport(name, format, prefix string, r rules) (*importing, error) {
	i := &importing{name: name, rules: r, prefix: prefix}
	format, err := formatOf(name, format)
	if err != nil {
		return nil, err
	}
	if format != formatTree {
		i.source.Pairs, err = readPairs(name, format, prefix)
		return i, err
	}
	if name == "-" {
		return nil, failf(exitUsage, "--format tree takes a directory, not standard input")
	}
	names, err := scratch.NewNames(nil)
	if err != nil {
		return nil, err
	}
	if i.source.Directory, err = transfer.ReadDirectory(name, names.Match); err != nil {
		return nil, failf(exitInput, "the directory to import cannot be read: %w", err)
	}
	if skipped := i.source.Directory.Skipped; len(skipped) > 0 {
		i.told = append(i.told, fmt.Sprintf("%s left out, which a mount would keep to itself, such as %s", counted(len(skipped), "name"), skipped[0]))
	}
	return i, nil
}

// formatOf is the format that is given, or that the name says.
func formatOf(name, format string) (string, error) {
	switch format {
	case formatJSON, formatYAML, formatTree:
		return format, nil
	case "":
	default:
		return "", failf(exitUsage, "--format %q is none of json, yaml and tree", format)
	}
	if info, err := os.Stat(name); name != "-" && err == nil && info.IsDir() || strings.HasSuffix(name, "/") {
		return formatTree, nil
	}
	switch filepath.Ext(name) {
	case ".yaml", ".yml":
		return formatYAML, nil
	}
	return formatJSON, nil
}

// run imports. What is told of is in told.
func (i *importing) run(ctx context.Context, d *cache.Direct) (transfer.Result, error) {
	i.options.Check = i.check
	result, err := transfer.Import(ctx, d, i.source, i.options)
	for k, p := range i.worse {
		if k == maxWarnings {
			i.told = append(i.told, fmt.Sprintf("... and %d more", len(i.worse)-k))
			break
		}
		i.told = append(i.told, i.where(p)+p.String())
	}
	switch mapping.KindOf(err) {
	case mapping.TooLarge:
		return result, failf(exitInput, "%s, %w", i.name, err)
	case mapping.Invalid, mapping.IsDirectory, mapping.NotDirectory, mapping.Exists, mapping.NameTooLong, mapping.NotPermitted:
		return result, failf(exitInput, "%w; nothing was written", err)
	}
	return result, err
}

// check holds the whole change against the rules.
func (i *importing) check(t *mapping.Tree, plan mapping.Plan) error {
	if i.rules.mode == validateOff {
		return nil
	}
	if i.worse = i.rules.catalogue.Worse(t, plan); len(i.worse) > 0 && i.rules.mode == validateEnforce {
		return failf(exitRefused, "%s: %s; --validate enforce refuses it, nothing was written", i.name, counted(len(i.worse), "problem"))
	}
	return nil
}

// where is the place in the file of a problem.
func (i *importing) where(p catalogue.Problem) string {
	mark := "warning: "
	if i.rules.mode == validateEnforce {
		mark = ""
	}
	tree, err := mapping.NewTree(mapping.Settings{Prefix: i.prefix})
	if err != nil {
		return mark
	}
	for path := p.Path; path != ""; path = path[:max(0, strings.LastIndexByte(path, '/'))] {
		if key, err := tree.KeyOf(path); err == nil {
			if line := i.source.Line(key); line > 0 {
				return fmt.Sprintf("%s%s, line %d: ", mark, i.name, line)
			}
		}
	}
	return mark
}

// withClient runs do with a client that the flags describe.
func withClient(c *cli.Context, do func(*clientv3.Client) error) error {
	options, err := connectOptions(c)
	if err != nil {
		return err
	}
	client, err := dial(c.Context, options)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	return do(client)
}

// readPairs reads a file of the import formats; "-" is standard input.
func readPairs(name, format, prefix string) ([]transfer.Pair, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = io.ReadAll(os.Stdin)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, failf(exitInput, "the file to import cannot be read: %w", err)
	}
	parse := transfer.Parse
	if format == formatYAML {
		parse = transfer.ParseYAML
	}
	pairs, err := parse(data, prefix)
	if err != nil {
		return nil, failf(exitInput, "%s, %w", name, err)
	}
	return pairs, nil
}
