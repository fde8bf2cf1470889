package cache

import "time"

// Status is the state of the connection and of the copy, as `.ovscfgfs/status`
// shows it.
type Status struct {
	// Connected: etcd answers, and writes are taken.
	Connected bool `json:"connected"`
	// Since is when that began: the connection, or the last answer before the loss.
	Since time.Time `json:"since"`
	// Error says why etcd is out of reach; empty when it is not.
	Error string `json:"error,omitempty"`
	// Watching: the watch is established, so that changes of others arrive.
	Watching bool `json:"watching"`
	// Prefix is what is shown.
	Prefix string `json:"prefix"`
	// Revision is the shown one.
	Revision int64 `json:"revision"`
	// Lag is how many revisions etcd was ahead when it was last asked, at most half a second ago.
	Lag int64 `json:"lag"`
	// Keys is the number of keys.
	Keys int `json:"keys"`
	// Rereads counts how often the whole prefix had to be read again.
	Rereads int `json:"rereads"`
	// Endpoints are etcd's addresses.
	Endpoints []string `json:"endpoints"`
	// DBSize and Quota are those of etcd's database, in bytes; 0 until known.
	DBSize int64 `json:"db_size"`
	Quota  int64 `json:"quota"`
}

// Status tells the state. It does not wait for anything.
func (c *Cache) Status() Status {
	tree := c.Tree()
	_, rereads := c.shownIn()
	s := Status{
		Connected: true,
		Watching:  c.following.watching.Load(),
		Prefix:    c.prefix,
		Revision:  tree.Revision(),
		Keys:      tree.Keys(),
		Rereads:   rereads,
		Endpoints: c.client.Endpoints(),
	}
	s.DBSize, s.Quota = c.Usage()
	if err := c.Writable(); err != nil {
		s.Connected, s.Watching, s.Error = false, false, err.Error()
	}
	c.contact.mu.Lock()
	defer c.contact.mu.Unlock()
	s.Since = c.contact.since
	if !s.Connected {
		s.Since = c.contact.last
	}
	s.Lag = max(0, c.contact.revision-s.Revision)
	return s
}
