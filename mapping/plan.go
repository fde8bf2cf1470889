package mapping

// KV is one key with its value as etcd holds it (etcd API mvccpb.KeyValue).
type KV struct {
	Key            string
	Value          []byte // never modified after it was handed over
	CreateRevision int64
	ModRevision    int64
	Version        int64
	Lease          int64
}

// Change is what one revision did to one key.
type Change struct {
	KV
	// Deleted: the key is gone; of KV only Key and ModRevision are set.
	Deleted bool
}

// Put writes one key. A zero Lease means none: an edit copies the lease of the
// key that it replaces.
type Put struct {
	Key   string
	Value []byte
	Lease int64
}

// Guard is a compare of a transaction: Key must still be at ModRevision, or
// absent if that is 0.
type Guard struct {
	Key         string
	ModRevision int64
}

// Range is all keys that start with Prefix.
type Range struct {
	Prefix string
	// Count keys are expected there; a delete of another number fails the transaction's purpose.
	Count int64
	// MaxModRevision bounds the mod revision of each key in it: a newer one is a foreign change.
	MaxModRevision int64
}

// Plan is one change of the store: what one etcd transaction compares and does.
// No key appears twice among Puts, Deletes and the deleted ranges.
type Plan struct {
	Guards  []Guard
	Puts    []Put
	Deletes []string
	// DeleteRanges are removed whole and guarded by their own Count and MaxModRevision.
	DeleteRanges []Range
	// Absent are prefixes under which no key may exist.
	Absent []string
	// Unchanged are prefixes under which no key may have been written since the tree that the plan was
	// made on. That a key went is not seen.
	Unchanged []string
	// Present are keys, in or outside the tree, without which the change must not be made: each is
	// there as long as a lock that the writer relies on. The error is LockLost.
	Present []string
	// Move marks a rename, whose excess over the request limit is MoveTooLarge instead of TooLarge.
	Move bool
	// Merged marks a change that was made in several steps and is now meant as it is (Merge).
	Merged bool
}

// Empty reports whether the plan changes nothing. Such a plan is not sent.
func (p *Plan) Empty() bool {
	return len(p.Puts) == 0 && len(p.Deletes) == 0 && len(p.DeleteRanges) == 0
}

// Edit plans one change on a tree. It is pure: a commit that met a foreign
// change calls it again with the newer tree, and it answers for that one, with
// an *Error when the change no longer makes sense there.
type Edit func(*Tree) (Plan, error)
