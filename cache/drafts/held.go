package drafts

import "time"

// watchHeldLocked has the held changes forgotten when their time is up.
func (s *Store) watchHeldLocked() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	var first time.Time
	for _, e := range s.over {
		if e.held && (first.IsZero() || e.touched.Before(first)) {
			first = e.touched
		}
	}
	if !first.IsZero() && !s.closed {
		s.timer = time.AfterFunc(time.Until(first.Add(s.forget)), s.forgetHeld)
	}
}

// forgetHeld shows again what was taken away and not removed.
func (s *Store) forgetHeld() {
	// A commit that is under way may make it whole, or remove it.
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	ended, words := map[string]*entry{}, map[string]string{}
	for key, e := range s.over {
		if e.held && time.Since(e.touched) >= s.forget && !s.closed {
			ended[key] = nil
			path, _ := s.Inner.Tree().PathOf(key)
			words[path] = "cannot be without " + s.rules.Lacks(e.value) + ", which was removed and not written again: the change was forgotten"
		}
	}
	s.changeLocked(ended)
	s.watchHeldLocked()
	s.mu.Unlock()
	for path, why := range words {
		s.log.Warn("a change was forgotten", "path", path, "why", why)
		if s.forgot != nil {
			s.forgot(path, why)
		}
	}
}
