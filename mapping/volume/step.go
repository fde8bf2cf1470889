package volume

import (
	"maps"
	"reflect"
	"slices"
)

// Verb is what an agent does next for a volume.
type Verb uint8

const (
	Leave  Verb = iota // nothing
	Note               // write Step.Status
	Run                // write Step.Status, which claims the volume; then do Step.Job
	Forget             // remove the status and the request: there is no volume
)

// Step is what an agent does next for a volume. Whatever it writes, it writes
// under the condition that the three keys are those of the View.
type Step struct {
	Verb   Verb
	Status Status // without UpdatedAt
	Job    Job
	// On is the volume that this one waits for, if it does.
	On string
}

// Job is one action for the handler.
type Job struct {
	ID     ID
	Action Action
	// Old is the volume as it was last known, nil if it was not there; New as it
	// is to be, nil if it is to go. The handler makes New true, whatever it
	// finds: an earlier attempt may have been cut short.
	Old, New map[string]any
	// Changed is what differs, in the order of names. It is empty when an
	// earlier attempt was cut short and its change has been taken back since.
	Changed []Change
	// Owner is the vrouter that has the volume now, or was about to.
	Owner string
	// Parent is the volume that a clone is made of, nil for other jobs.
	Parent *Status
	// Refused are changes that no handler is asked for.
	Refused []Rejection
}

// Around is what an agent knows beside the volume.
type Around struct {
	// Self is the agent's vrouter.
	Self string
	// Alive reports whether a vrouter has an agent that runs. One that does not
	// has no handler at work.
	Alive func(vrouter string) bool
	// Volume returns another volume of the vpool.
	Volume func(volume string) View
	// Clone returns a volume that has this one as its parent, "" if none has.
	Clone func(volume string) string
	// Fresh: the agent has just started, and tries again what cannot be asked
	// for again.
	Fresh bool
}

// Next decides what the agent of a vrouter does for a volume. It depends on
// nothing but what is stored, so that it does not matter what the agent has
// missed and who changed what by which tool.
//
//	config is there   the agent of its volume_router creates, clones, updates or
//	                  migrates until status.Config is the config
//	config is gone    the agent that is at work, else that of status.Owner, deletes
//
// While one agent is at work for a volume and runs, all others leave it alone.
func Next(v View, a Around) Step {
	if s := v.Status; s != nil && s.atWork() && s.By != a.Self && s.By != "" && a.Alive(s.By) {
		return Step{}
	}
	switch {
	case v.Broken != "":
		return v.broken(a)
	case v.Config == nil:
		return v.unwanted(a)
	case v.router() != a.Self:
		return v.release(a)
	case v.Status != nil && v.Status.State == Deleting:
		// It was removed and is wanted again: the end of the first one comes first.
		return v.remove(a)
	}
	return v.wanted(a)
}

// release lets another agent have a volume that this one was at work for when
// it was ended itself, or when the volume was given to another vrouter.
func (v *View) release(a Around) Step {
	if v.Status == nil || !v.Status.atWork() || v.Status.By != a.Self {
		return Step{}
	}
	s := v.status(a, Pending)
	if v.Status.State == Deleting {
		s.State, s.By = Deleting, "" // which has to be brought to an end first
	}
	s.Error = "the agent of " + a.Self + " was ended while it was at work"
	return v.note(s)
}

func (s *Status) atWork() bool { return s.State == Applying || s.State == Deleting }

// status is one that says what is known already, to be changed by the caller.
func (v *View) status(a Around, state State) Status {
	s := Status{State: state, Applied: []Change{}, Rejected: []Rejection{}, By: a.Self}
	if v.Status != nil {
		s.Generation, s.Owner, s.Config, s.ConfigRevision = v.Status.Generation, v.Status.Owner, v.Status.Config, v.Status.ConfigRevision
	}
	return s
}

// note writes a status unless it is there already.
func (v *View) note(s Status) Step {
	if v.Status != nil {
		now := *v.Status
		now.UpdatedAt = ""
		if reflect.DeepEqual(now, s) {
			return Step{}
		}
	}
	return Step{Verb: Note, Status: s}
}

// waits notes that the volume's turn has not come. The request is not taken
// up, so that what changes meanwhile is folded into it.
func (v *View) waits(a Around, on, why string) Step {
	s := v.status(a, Pending)
	s.Error = why
	step := v.note(s)
	step.On = on
	return step
}

func (v *View) broken(a Around) Step {
	mine := v.router() == a.Self || v.Status != nil && v.Status.Owner == a.Self
	if !mine || v.seen() && v.Status.State == Failed {
		return v.release(a)
	}
	s := v.status(a, Failed)
	s.Error, s.Generation, s.ConfigRevision = v.Broken, v.taken(), v.ConfigRevision
	return v.note(s)
}

// wanted brings a volume that this vrouter is to have to what its config says.
func (v *View) wanted(a Around) Step {
	s := v.Status
	if v.seen() && (s.State == Ready || s.State == Failed) {
		return Step{}
	}
	job := Job{ID: v.ID, New: v.Config, Owner: a.Self}
	if s != nil {
		job.Old = s.Config
		if s.Owner != "" {
			job.Owner = s.Owner
		}
	}
	parent := textIn(v.Config, fieldParent)
	job.Changed = changed(job.Old, v.Config)
	switch {
	case job.Old == nil && parent != "":
		job.Action = Clone
		p := a.Volume(parent)
		switch {
		case p.Status == nil || p.Status.Config == nil:
			return v.waits(a, parent, "waits for its parent "+parent+", which is not there yet")
		case p.Status.State == Deleting:
			return v.waits(a, parent, "waits for its parent "+parent+", which is being deleted")
		}
		job.Parent = p.Status
	case job.Old == nil:
		job.Action = Create
	case s.Owner != a.Self:
		job.Action = Migrate
	default:
		job.Action = Update
	}
	if job.Old != nil {
		job.refuseIdentity()
	}
	if job.Action == Update && len(job.Changed) == 0 && s.State == Ready {
		if s.Generation >= v.asked() && slices.Equal(s.Rejected, job.Refused) {
			return Step{} // the same in other bytes
		}
		ready := v.status(a, Ready)
		ready.Generation, ready.ConfigRevision = v.taken(), v.ConfigRevision
		ready.Rejected = append(ready.Rejected, job.Refused...)
		return v.note(ready)
	}
	claim := v.status(a, Applying)
	claim.Generation, claim.Owner, claim.ConfigRevision = v.taken(), job.Owner, v.ConfigRevision
	return Step{Verb: Run, Status: claim, Job: job}
}

// refuseIdentity takes out of a job what no handler is asked for.
func (j *Job) refuseIdentity() {
	kept := j.Changed[:0:0]
	wanted := maps.Clone(j.New)
	for _, c := range j.Changed {
		if !slices.Contains(immutable, c.Name) {
			kept = append(kept, c)
			continue
		}
		j.Refused = append(j.Refused, Rejection{c.Name, "it never changes: make another clone"})
		restore(wanted, c.Name, j.Old)
	}
	j.Changed, j.New = kept, wanted
}

// restore gives a field the value that it has in old.
func restore(config map[string]any, name string, old map[string]any) {
	if value, ok := old[name]; ok {
		config[name] = value
	} else {
		delete(config, name)
	}
}

// unwanted ends a volume whose config is gone.
func (v *View) unwanted(a Around) Step {
	s := v.Status
	switch {
	case s == nil && v.Request == nil:
		return Step{}
	case s == nil && v.Request.Action == Delete:
		// Nobody has answered for it yet.
		if textIn(v.Request.before(), fieldRouter) != a.Self {
			return Step{}
		}
		return v.remove(a)
	case s == nil:
		return Step{Verb: Forget} // it asks for nothing any more, whoever's it was
	case s.Owner == "" && s.Config == nil:
		if s.By != a.Self && a.Alive(s.By) {
			return Step{}
		}
		return Step{Verb: Forget} // nobody has begun to make it
	case s.Owner != a.Self && !(s.atWork() && s.By == a.Self):
		return Step{}
	case v.seen() && s.State == Failed && !a.Fresh:
		return Step{}
	}
	return v.remove(a)
}

// remove has the handler delete the volume.
func (v *View) remove(a Around) Step {
	if clone := a.Clone(v.ID.Volume); clone != "" {
		return v.waits(a, clone, "cannot be deleted: volume "+clone+" is a clone of it")
	}
	job := Job{ID: v.ID, Action: Delete, Owner: a.Self}
	if v.Status != nil {
		job.Old, job.Owner = v.Status.Config, v.Status.Owner
	}
	if job.Old == nil && v.Request != nil {
		job.Old = v.Request.before()
	}
	job.Changed = changed(job.Old, nil)
	claim := v.status(a, Deleting)
	claim.Generation, claim.Owner = v.taken(), job.Owner
	claim.ConfigRevision = v.ConfigRevision
	return Step{Verb: Run, Status: claim, Job: job}
}

// before are the fields of a request as they were.
func (r *Request) before() map[string]any {
	values := map[string]any{}
	for _, c := range r.Changed {
		if c.Old != nil {
			values[c.Name] = c.Old
		}
	}
	return values
}

// changed lists what differs between two configurations, in the order of names.
func changed(old, wanted map[string]any) []Change { return changes(inOrder(old), inOrder(wanted)) }

// inOrder is a configuration whose own order is not known, in that of names.
func inOrder(values map[string]any) config {
	return config{names: slices.Sorted(maps.Keys(values)), values: values}
}
