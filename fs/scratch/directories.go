package scratch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"

	"github.com/google/renameio/v2"
)

// directories is the set of directories that were made here. It is kept in a
// file, because on the host they look like mirrors.
type directories struct {
	file  string
	paths map[string]bool
}

func loadDirectories(file string) (directories, error) {
	d := directories{file: file, paths: map[string]bool{}}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	var list []string
	if err := json.Unmarshal(text, &list); err != nil {
		return d, fmt.Errorf("%s: not a JSON array of paths; move it away to start without the directories it names: %w", file, err)
	}
	for _, p := range list {
		d.paths[p] = true
	}
	return d, nil
}

func (d *directories) has(p string) bool { return d.paths[p] }

func (d *directories) add(p string) error { d.paths[p] = true; return d.save() }

func (d *directories) remove(p string) error { delete(d.paths, p); return d.save() }

// rename moves the directories at and below from.
func (d *directories) rename(from, to string, exchange bool) error {
	moved := map[string]bool{}
	changed := false
	for p := range d.paths {
		switch {
		case below(p, from):
			moved[to+p[len(from):]], changed = true, true
		case below(p, to) && exchange:
			moved[from+p[len(to):]], changed = true, true
		case below(p, to):
			changed = true // replaced
		default:
			moved[p] = true
		}
	}
	if !changed {
		return nil
	}
	d.paths = moved
	return d.save()
}

func (d *directories) save() error {
	list := make([]string, 0, len(d.paths))
	for p := range d.paths {
		list = append(list, p)
	}
	sort.Strings(list)
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return renameio.WriteFile(d.file, text, 0o600, renameio.WithStaticPermissions(0o600))
}
