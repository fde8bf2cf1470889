package fs

import "github.com/openvstorage/ovscfgfs/fs/echo"

// EventsStatus says whether watchers of a mount get events for changes made
// elsewhere.
type EventsStatus struct {
	// On: they do.
	On bool `json:"on"`
	// Reason is why not, in words.
	Reason string `json:"reason,omitempty"`
	// Helper is the process that repeats changes, 0 without one.
	Helper int `json:"helper,omitempty"`
	// Watched is how many files and directories were watched when that was
	// looked up last.
	Watched int `json:"watched"`
	// Hidden counts the processes whose watches could not be seen then.
	Hidden int `json:"hidden,omitempty"`
	// Raised counts the changes that were repeated.
	Raised uint64 `json:"raised"`
}

// startEchoes begins to raise events, or says once why not.
func (m *Mounted) startEchoes() {
	e := m.s.echoes
	if e == nil {
		if len(m.s.opt.EchoCommand) > 0 {
			m.s.log.Info("no inotify events for changes made elsewhere; everything else works", "reason", m.s.mute)
		}
		return
	}
	device, err := echo.Device(m.point)
	if err != nil || device == 0 {
		e.down("the mount is not in the mount table", true)
		return
	}
	e.start(device)
}

// Events says whether watchers of this mount get events.
func (m *Mounted) Events() EventsStatus {
	if m.s.echoes == nil {
		return EventsStatus{Reason: m.s.mute}
	}
	return m.s.echoes.status()
}

// noteHidden tells, once, that some processes cannot be looked into.
func (e *echoes) noteHidden(processes int) {
	const reason = "processes that cannot be looked into (CAP_SYS_PTRACE is missing, or they are shielded) get no events"
	e.mu.Lock()
	e.state.Hidden, e.state.Reason = processes, ""
	if processes > 0 {
		e.state.Reason = reason
	}
	first := processes > 0 && !e.toldHidden
	e.toldHidden = e.toldHidden || first
	e.mu.Unlock()
	if first {
		e.s.log.Info("no inotify events for some watchers; everything else works", "reason", reason, "processes", processes)
	}
}
