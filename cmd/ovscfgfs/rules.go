package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

// rules hold changes against the catalogue, as --validate says.
type rules struct {
	catalogue *catalogue.Catalogue
	mode      string
}

func validateFlag() cli.Flag {
	return stringFlag("validate", validateWarn, "hold changes against the catalogue: off, warn or enforce")
}

func newRules(c *cli.Context, known *catalogue.Catalogue) (rules, error) {
	mode := c.String("validate")
	if mode == "" {
		mode = validateWarn // of commands that change nothing
	}
	return rules{known, mode}, validateMode(mode)
}

// validateMode is nil for what --validate may be.
func validateMode(mode string) error {
	if !slices.Contains([]string{validateOff, validateWarn, validateEnforce}, mode) {
		return failf(exitUsage, "--validate %q is none of off, warn and enforce", mode)
	}
	return nil
}

// over is an edit that is held against the rules first: one that breaks a rule is Invalid in the mode enforce.
// worse are the problems that the last plan makes.
func (r rules) over(edit mapping.Edit, worse *[]catalogue.Problem) mapping.Edit {
	if r.mode == validateOff {
		return edit
	}
	return func(t *mapping.Tree) (mapping.Plan, error) {
		plan, err := edit(t)
		if err != nil {
			return plan, err
		}
		*worse = r.catalogue.Worse(t, plan)
		if len(*worse) > 0 && r.mode == validateEnforce {
			return mapping.Plan{}, refusal(*worse)
		}
		return plan, nil
	}
}
