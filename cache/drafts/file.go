package drafts

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/google/renameio/v2"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// load reads the drafts of the last run.
func (s *Store) load() error {
	s.over = overlay{}
	if s.file == "" {
		return nil
	}
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return mapping.Errorf(mapping.Other, "", "the drafts of the last run cannot be read: %w", err)
	}
	var kept map[string]string
	if err := json.Unmarshal(text, &kept); err != nil {
		return mapping.Errorf(mapping.Other, "", "%s: no JSON object of drafts; move it away to start without them: %w", s.file, err)
	}
	t := s.Inner.Tree()
	for key, value := range kept {
		if kv, ok := t.Get(key); ok && s.rules.Contains(kv.Value, []byte(value)) {
			continue // it was stored, and the daemon ended before it could note that
		}
		s.over[key] = entry{value: []byte(value)}
	}
	return nil
}

// save writes the drafts to the file.
func (s *Store) save() error {
	if s.file == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	kept := map[string]string{}
	for key, e := range s.over {
		if !e.held {
			kept[key] = string(e.value)
		}
	}
	s.mu.Unlock()
	text, err := json.Marshal(kept)
	if err == nil {
		err = renameio.WriteFile(s.file, text, 0o600)
	}
	if err != nil {
		// What was done is done, and shown.
		s.log.Warn("drafts cannot be kept for the next start", "error", err)
	}
	return nil
}
