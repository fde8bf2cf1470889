package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"
)

// pageText is what docs/performance.md says around the tables.
//
//go:embed performance.md.tmpl
var pageText string

// writePage writes the report as the page for readers.
func writePage(r *report, machine []fact, o options, path string) error {
	page, err := template.New("page").Funcs(template.FuncMap{"table": r.table, "misses": r.misses}).Parse(pageText)
	if err != nil {
		return err
	}
	var b strings.Builder
	data := map[string]any{"Machine": machine, "Notes": r.notes, "Runs": o.runs, "Leaves": thousands(float64(o.leaves)), "Picture": pictureName}
	if err := page.Execute(&b, data); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// table is the group's rows in Markdown, with the columns that have figures.
func (r *report) table(group string) string {
	var rows []*row
	columns := map[string]bool{}
	bars := false
	for _, row := range r.rows {
		if row.group != group {
			continue
		}
		rows = append(rows, row)
		bars = bars || row.verdicts("") != ""
		for _, t := range targets() {
			columns[t] = columns[t] || len(row.figures[t]) > 0
		}
	}
	if len(rows) == 0 {
		return "(not measured in this run)\n"
	}
	head, rule := "| |", "| --- |"
	for _, t := range targets() {
		if columns[t] {
			head, rule = head+" "+t+" |", rule+" ---: |"
		}
	}
	if bars {
		head, rule = head+" bar (measured): verdict |", rule+" --- |"
	}
	var b strings.Builder
	fmt.Fprintln(&b, head)
	fmt.Fprintln(&b, rule)
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s |", row.name)
		for _, t := range targets() {
			if columns[t] {
				fmt.Fprintf(&b, " %s |", row.cell(t))
			}
		}
		if bars {
			fmt.Fprintf(&b, " %s |", row.verdicts("<br>"))
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

// misses are the bars that were missed, one line each.
func (r *report) misses() []string {
	var all []string
	for _, row := range r.rows {
		for _, b := range row.bars {
			if score, ok := b.score(row); ok && score > 1 {
				all = append(all, fmt.Sprintf("%s, %s: %s", row.group, row.name, b.line(row)))
			}
		}
	}
	return all
}
