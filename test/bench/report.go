package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Names of what is measured, the columns of the report.
const (
	onTmpfs = "tmpfs"
	onRW    = "rw"
	onRO    = "ro"
	onDisk  = "disk"
	onEtcd  = "etcd"    // a bare client, connected
	onCtl   = "etcdctl" // etcd's own command, a process each time
)

func targets() []string { return []string{onTmpfs, onDisk, onEtcd, onCtl, onRW, onRO} }

// A report collects what the experiments measured.
type report struct {
	rows  []*row
	notes []string // what was left out, and why
}

// A row is one measured thing on several targets.
type row struct {
	group   string
	name    string
	unit    unit
	figures map[string][]float64
	bars    []bar
}

// row adds a row.
func (r *report) row(group, name string, u unit, bars ...bar) *row {
	added := &row{group: group, name: name, unit: u, figures: map[string][]float64{}, bars: bars}
	r.rows = append(r.rows, added)
	return added
}

// note records what was left out, once.
func (r *report) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.notes, text) {
		r.notes = append(r.notes, text)
	}
}

func (r *row) add(target string, figure float64) {
	r.figures[target] = append(r.figures[target], figure)
}

// median of the target's figures; false if it was not measured.
func (r *row) median(target string) (float64, bool) {
	f := slices.Sorted(slices.Values(r.figures[target]))
	switch n := len(f); {
	case n == 0:
		return 0, false
	case n%2 == 1:
		return f[n/2], true
	default:
		return (f[n/2-1] + f[n/2]) / 2, true
	}
}

// cell is the target's median as text, "" if it was not measured.
func (r *row) cell(target string) string {
	m, ok := r.median(target)
	if !ok {
		return ""
	}
	return r.unit.format(m)
}

// line is the row in words, for the log.
func (r *row) line() string {
	parts := []string{r.name + ":"}
	for _, t := range targets() {
		if c := r.cell(t); c != "" {
			parts = append(parts, t+" "+c)
		}
	}
	for _, b := range r.bars {
		parts = append(parts, b.line(r))
	}
	return strings.Join(parts, "  ")
}

// verdicts are the lines of the row's bars, for one cell of a table.
func (r *row) verdicts(sep string) string {
	var parts []string
	for _, b := range r.bars {
		if v := b.line(r); v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, sep)
}

// print writes the report as a table for a terminal.
func (r *report) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\t%s\tbars\n", strings.Join(targets(), "\t"))
	group := ""
	for _, row := range r.rows {
		if row.group != group {
			group = row.group
			fmt.Fprintf(t, "%s%s\t\n", strings.ToUpper(group), strings.Repeat("\t", len(targets())))
		}
		fmt.Fprintf(t, "  %s", row.name)
		for _, target := range targets() {
			fmt.Fprintf(t, "\t%s", row.cell(target))
		}
		fmt.Fprintf(t, "\t%s\n", row.verdicts("; "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range r.notes {
		if _, err := fmt.Fprintln(w, "note:", n); err != nil {
			return err
		}
	}
	return nil
}
