package agent

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

// state is what is known of a running service, kept in a file.
type state struct {
	path string

	// Known: Parameters are what the service runs with.
	Known      bool        `json:"known"`
	Parameters []parameter `json:"parameters"`
	// Report is the last one, which may not have been written yet: the answer to
	// the counter at the mod revision Asked.
	Report *service.Report `json:"report"`
	Asked  int64           `json:"asked"`
}

type parameter struct {
	service.Name
	Value any `json:"value"`
}

// fileName is the name of what is kept of a key.
func fileName(key string) string { return url.PathEscape(key) }

// readState reads the file; one that is not there is the state of a service
// that nothing is known of.
func readState(path string) (*state, error) {
	s := &state{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		err = decoder.Decode(s)
	}
	if err != nil {
		return nil, mapping.Errorf(mapping.Other, "", "the state of the service cannot be read: %w (remove %s, and all parameters are told again at the next reload)", err, path)
	}
	return s, nil
}

func (s *state) running() service.Config {
	if !s.Known {
		return nil
	}
	c := service.Config{}
	for _, p := range s.Parameters {
		c[p.Name] = p.Value
	}
	return c
}

// save replaces the file whole. Values may be secrets: it is its owner's alone.
func (s *state) save(running service.Config, report *service.Report, asked int64) error {
	next := &state{Known: running != nil, Report: report, Asked: asked}
	for name, value := range running {
		next.Parameters = append(next.Parameters, parameter{name, value})
	}
	text, err := json.Marshal(next)
	if err == nil {
		err = renameio.WriteFile(s.path, text, 0o600)
	}
	if err == nil {
		next.path = s.path
		*s = *next
	}
	return err
}
