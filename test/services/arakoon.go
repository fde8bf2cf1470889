package services

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// readINI reads the INI files of Arakoon (ocaml-inifiles): sections, `key = value`, comments.
func readINI(file string) (map[string]map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sections := map[string]map[string]string{}
	var section map[string]string
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = map[string]string{}
			sections[line[1:len(line)-1]] = section
		default:
			name, value, ok := strings.Cut(line, "=")
			if !ok || section == nil {
				return nil, fmt.Errorf("%s, line %d: %q is neither a section nor a setting", file, n+1, line)
			}
			section[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return sections, nil
}

// StartArakoon reports why a node would not start with this configuration; an
// empty node is a client, which wants to reach all of them.
func StartArakoon(file, node string) error {
	sections, err := readINI(file)
	if err != nil {
		return err
	}
	global := sections["global"]
	if global["cluster"] == "" || global["cluster_id"] == "" {
		return fmt.Errorf("%s: global needs cluster and cluster_id", file)
	}
	for _, name := range strings.Split(global["cluster"], ",") {
		s := sections[strings.TrimSpace(name)]
		needed := []string{"ip", "client_port"}
		if strings.TrimSpace(name) == node {
			needed = append(needed, "messaging_port", "home", "name")
		}
		for _, setting := range needed {
			if s[setting] == "" {
				return fmt.Errorf("%s: node %s has no %s", file, name, setting)
			}
		}
		if _, err := strconv.ParseUint(s["client_port"], 10, 16); err != nil {
			return fmt.Errorf("%s: node %s: %w", file, name, err)
		}
	}
	return nil
}
