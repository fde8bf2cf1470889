package main

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/fs"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

// What --validate takes.
const (
	validateOff     = "off"
	validateWarn    = "warn"
	validateEnforce = "enforce"
)

// validated is the cache as the mount sees it: each commit is held against the
// catalogue first.
type validated struct {
	*cache.Cache
	catalogue *catalogue.Catalogue
	mode      string
	logger    *slog.Logger
	// warnings shows them; nil until the mount is there.
	warnings atomic.Pointer[fs.Mounted]
}

// Commit refuses, as Invalid, a change that breaks a rule when the mode is
// enforce, and tells of it when the mode is warn.
func (v *validated) Commit(ctx context.Context, edit mapping.Edit) error {
	var worse []catalogue.Problem
	err := v.Cache.Commit(ctx, rules{v.catalogue, v.mode}.over(edit, &worse))
	if err == nil {
		v.warn(worse)
	}
	return err
}

// refusal names the first problem, and says that there are others.
func refusal(worse []catalogue.Problem) error {
	if more := len(worse) - 1; more > 0 {
		return mapping.Errorf(mapping.Invalid, "", "%s, and %d more; --validate enforce refuses it", worse[0], more)
	}
	return mapping.Errorf(mapping.Invalid, "", "%s; --validate enforce refuses it", worse[0])
}

// maxWarnings is how many problems of one change are told of.
const maxWarnings = 20

func (v *validated) warn(worse []catalogue.Problem) {
	if more := len(worse) - maxWarnings; more > 0 {
		v.logger.Warn("a change breaks more rules than are told of", "more", more)
		worse = worse[:maxWarnings]
	}
	mounted := v.warnings.Load()
	for _, p := range worse {
		v.logger.Warn("a change breaks a rule", "path", p.Path, "rule", p.Rule, "words", p.Words)
		if mounted != nil {
			mounted.Warn(p.Path, p.Brief())
		}
	}
}
