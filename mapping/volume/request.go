package volume

// Action is what a request asks for.
type Action string

const (
	Create  Action = "create"
	Clone   Action = "clone" // a create whose parent_volume_id is set
	Update  Action = "update"
	Migrate Action = "migrate" // volume_router has changed, and other fields may have
	Delete  Action = "delete"
)

// Change is one parameter's change, spelled as the volumedriver's
// UpdateReport spells it. A value is the field's JSON, null if there is none.
type Change struct {
	Name string `json:"param_name"`
	Old  any    `json:"old_value"`
	New  any    `json:"new_value"`
}

// Request is the value of a lifecycle key. It is written in the transaction
// that makes the change, never by itself.
//
// A request has been taken up once the status has its generation or a later
// one. What changes before that is folded into it: Changed then goes from the
// first old value to the last new one, a create stays a create, and the
// deletion of a volume that nobody has created takes the request away.
type Request struct {
	Action Action `json:"action"`
	// Generation counts the requests for this volume from 1. A folded request
	// has a new generation too: who took up the old one must look again.
	Generation int64 `json:"generation"`
	// Changed lists the fields in the order of the configuration. A create has
	// them all with Old null, a delete with New null, so that whoever deletes
	// knows what and where it was.
	Changed []Change `json:"changed"`
	// RequestedAt is RFC 3339 in UTC.
	RequestedAt string `json:"requested_at"`
	// RequestedBy is user@node.
	RequestedBy string `json:"requested_by"`
}
