package catalogue

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// ini is a file of sections as Arakoon reads it (and Python's RawConfigParser
// writes it): "[section]", "key = value", comments with # or ;.
type ini struct {
	sections map[string]map[string]string
	order    []string
}

// parseINI reads a file; bad are the numbers of lines, from 1, that are nothing of it.
func parseINI(text []byte) (file ini, bad []int) {
	file.sections = map[string]map[string]string{}
	var section map[string]string
	n := 0
	for line := range bytes.Lines(text) {
		n++
		s := strings.TrimSpace(string(line))
		switch {
		case s == "" || s[0] == '#' || s[0] == ';':
		case s[0] == '[' && s[len(s)-1] == ']':
			name := s[1 : len(s)-1]
			if file.sections[name] == nil {
				file.sections[name] = map[string]string{}
				file.order = append(file.order, name)
			}
			section = file.sections[name]
		default:
			at := strings.IndexAny(s, "=:")
			if at <= 0 || section == nil {
				bad = append(bad, n)
				continue
			}
			section[strings.TrimSpace(s[:at])] = strings.TrimSpace(s[at+1:])
		}
	}
	return file, bad
}

// nodes are the names in the global section's cluster.
func (f ini) nodes() []string {
	var list []string
	for name := range strings.SplitSeq(f.sections["global"]["cluster"], ",") {
		if name = strings.TrimSpace(name); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// validateRaw holds an Arakoon configuration against what its readers need: the
// whole of it for the cluster's own nodes, addresses for its clients.
func (c *Catalogue) validateRaw(m match, path string, stored []byte) []Problem {
	file, bad := parseINI(stored)
	var list []Problem
	for _, n := range bad {
		list = append(list, missing(path, "ini-syntax", "line "+strconv.Itoa(n)+" is neither [section] nor key = value"))
	}
	if len(file.sections) == 0 {
		return append(list, missing(path, "ini-missing", "has no section: it must be an INI file with [global] and one section a node"))
	}
	nodes := file.nodes()
	for _, key := range []string{"cluster", "cluster_id"} {
		if file.sections["global"][key] == "" {
			list = append(list, missing(path, "ini-missing", "[global] must have "+key))
		}
	}
	required := []string{"ip", "client_port"}
	if m.entry.class == Restart { // the cluster's own
		required = append(required, "name", "messaging_port", "home")
	}
	for _, node := range nodes {
		section, ok := file.sections[node]
		if !ok {
			list = append(list, missing(path, "ini-missing", "[global] cluster names "+quoted(node)+", which has no section"))
			continue
		}
		for _, key := range required {
			if section[key] == "" {
				list = append(list, missing(path, "ini-missing", "["+node+"] must have "+key))
			}
		}
		list = append(list, c.validateNode(path, node, section)...)
	}
	return list
}

// arakoonLevels are Arakoon's log levels (its node configuration's log_level).
var arakoonLevels = []string{"debug", "info", "notice", "warning", "error", "fatal"}

func (c *Catalogue) validateNode(path, node string, section map[string]string) []Problem {
	var list []Problem
	wrong := func(key, words string) {
		list = append(list, c.problem(path, "ini-value", section[key], "is ["+node+"] "+key+", and must be "+words))
	}
	for _, key := range []string{"client_port", "messaging_port"} {
		if text, ok := section[key]; ok && text != "" {
			if port, err := strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
				wrong(key, "a port from 1 to 65535")
			}
		}
	}
	if level, ok := section["log_level"]; ok && !slices.Contains(arakoonLevels, level) {
		wrong("log_level", strings.Join(arakoonLevels, ", "))
	}
	if name, ok := section["name"]; ok && name != node {
		wrong("name", "the section's name "+quoted(node))
	}
	return list
}
