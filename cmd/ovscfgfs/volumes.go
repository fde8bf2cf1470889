package main

import (
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/cache/drafts"
	"github.com/openvstorage/ovscfgfs/fs"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

// volumeRules are the rules of volumes as drafts and fs ask for them.
type volumeRules struct {
	*volume.Rules
	by string
}

var (
	_ drafts.Rules = volumeRules{}
	_ fs.Units     = volumeRules{}
)

func newVolumeRules(known *catalogue.Catalogue) volumeRules {
	return volumeRules{volume.NewRules(known), requester()}
}

// Plan implements drafts.Rules.
func (r volumeRules) Plan(t *mapping.Tree, plan mapping.Plan) (mapping.Plan, error) {
	return r.Rules.Plan(t, plan, volume.Stamp{At: time.Now().UTC().Format(time.RFC3339Nano), By: r.by})
}

// over is an edit with what it means for volumes.
func (r volumeRules) over(edit mapping.Edit) mapping.Edit {
	return func(t *mapping.Tree) (mapping.Plan, error) {
		plan, err := edit(t)
		if err != nil {
			return plan, err
		}
		return r.Plan(t, plan)
	}
}

// around is over for an edit whose tree is only a scope, and the scope that the rules need to
// see. keys are those on the way to what is edited, the first is the prefix.
func (r volumeRules) around(edit mapping.Edit, scope cache.Scope, keys []string) (mapping.Edit, cache.Scope) {
	prefix := keys[0]
	switch {
	case len(keys) == 1:
		scope.Under = append(slices.Clip(scope.Under), prefix)
	case keys[1] != prefix+"/vpool":
		return edit, scope
	case len(keys) == 2:
		scope.Under = append(slices.Clip(scope.Under), prefix+"/vpool", prefix+"/vpools")
	default:
		vpool := strings.TrimPrefix(keys[2], prefix+"/vpool/")
		scope.Under = append(slices.Clip(scope.Under), keys[2], prefix+"/vpools/"+vpool+"/hosts")
	}
	return r.over(edit), scope
}

// requester is user@node: who this process acts for.
func requester() string {
	name, node := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if n, err := os.Hostname(); err == nil {
		node = n
	}
	return name + "@" + node
}

// openDrafts lays the drafts of volumes over the store.
func (d *daemon) openDrafts(store drafts.Inner, rules volumeRules) (*drafts.Store, error) {
	kept, err := drafts.Open(drafts.Options{
		Inner: store,
		Rules: rules,
		File:  filepath.Join(d.config.stateDir, "drafts.json"),
		Forgot: func(path, words string) {
			if mounted := d.served.Load(); mounted != nil {
				mounted.Warn(path, words)
			}
		},
		Logger: d.logger,
	})
	if err != nil {
		return nil, failf(exitInput, "%w", err)
	}
	d.onStop(kept.Close)
	return kept, nil
}
