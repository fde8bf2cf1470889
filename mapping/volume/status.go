package volume

// State is where a volume is.
type State string

const (
	Pending  State = "pending"  // seen, and waits: for a parent, for a retry
	Applying State = "applying" // the handler is at work
	Ready    State = "ready"
	Failed   State = "failed" // given up until the next request
	Deleting State = "deleting"
)

// Rejection is one field that the handler did not take.
type Rejection struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// Status is the value of a status key, written by the agent with a compare of
// what it was. It goes, together with the request, when a deletion is done.
type Status struct {
	State      State       `json:"state"`
	Generation int64       `json:"generation"` // of the request that was taken up last, 0 for none
	Applied    []Change    `json:"applied"`    // by the last action
	Rejected   []Rejection `json:"rejected"`
	Error      string      `json:"error,omitempty"`
	// Owner is the vrouter that has the volume, which is not the one that is
	// to have it while a migration is under way.
	Owner string `json:"owner"`
	// By is the vrouter whose agent has written this, and is at work while the
	// state is applying or deleting.
	By string `json:"by,omitempty"`
	// ConfigRevision is the mod revision of the config that was last looked at, 0
	// for none: what was rejected or has failed there is not tried again.
	ConfigRevision int64 `json:"config_revision,omitempty"`
	// UpdatedAt is RFC 3339 in UTC.
	UpdatedAt string `json:"updated_at"`
	// Config is the configuration in effect: the fields of the volume's config
	// as the handler last took them. What differs from it is to be applied,
	// with or without a request, so that a change made with etcdctl counts.
	Config map[string]any `json:"config,omitempty"`
}

// JSON is the status as it is stored.
func (s Status) JSON() []byte { return encode(s) }
