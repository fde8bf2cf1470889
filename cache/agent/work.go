package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

// worker does the next step for one volume.
type worker struct {
	*schedule
	name    string
	attempt int
	fresh   bool
}

// retry says why a step has to be taken again later.
type retry uint8

const (
	noRetry      retry = iota
	retryHandler       // the handler has failed, which counts
	retryWrite         // etcd did not take what had to be written
)

// result is what a worker tells its schedule.
type result struct {
	name  string
	retry retry
	// done: the handler was run, and what came of it is stored.
	done  bool
	stamp stamp
	on    string // the volume that this one waits for
}

// errChanged: what the handler was run for is not the status' any more.
var errChanged = errors.New("somebody else has written the status meanwhile: what came of the action is not stored")

// work claims the volume, runs the handler, and writes what came of it.
func (w *worker) work() result {
	r := result{name: w.name}
	view, step, claimed, err := w.claim()
	r.stamp, r.on = stampOf(view), step.On
	if err != nil {
		if w.writes.Err() == nil {
			w.Logger.Warn("a volume's status cannot be written: trying again", "volume", w.name, "error", err)
		}
		r.retry = retryWrite
		return r
	}
	if step.Verb != volume.Run {
		return r
	}
	log := w.Logger.With("volume", w.name, "action", step.Job.Action, "generation", step.Status.Generation, "attempt", w.attempt)
	log.Info("begins")
	begun := time.Now()
	answer := w.handle(log, view, step)
	again := w.attempt <= w.Retries || step.Job.Action == volume.Delete
	stopped := w.handlers.Err() != nil
	switch {
	case !answer.Failed():
		log.Info("done", "took", time.Since(begun).Round(time.Millisecond), "rejected", len(answer.Rejected))
	case answer.Retry && (again || stopped):
		log.Warn("failed: trying again", "error", answer.Error)
		r.retry = retryHandler
	default:
		log.Error("failed: given up until the next change", "error", answer.Error)
	}
	if err := w.settle(view, step, claimed, answer, again || stopped); err != nil {
		log.Warn("what came of it is not stored", "error", err)
		if !errors.Is(err, errChanged) {
			r.retry = retryWrite
		} else {
			r.retry = noRetry
		}
		return r
	}
	r.done = r.retry == noRetry
	return r
}

// claim decides on the newest tree and writes what the decision says. claimed
// is the revision of the status that was written.
func (w *worker) claim() (view volume.View, step volume.Step, claimed int64, err error) {
	var status []byte
	err = w.tree.Commit(w.writes, func(t *mapping.Tree) (mapping.Plan, error) {
		view, step = w.next(t, w.name, w.fresh)
		switch step.Verb {
		case volume.Note, volume.Run:
			status = w.stamped(step.Status)
			plan := w.guarded(view)
			plan.Puts = []mapping.Put{{Key: w.key(view.ID.StatusKey()), Value: status}}
			return plan, nil
		case volume.Forget:
			plan := w.guarded(view)
			w.remove(&plan, view, true)
			return plan, nil
		}
		return mapping.Plan{}, nil
	})
	if err != nil || step.Verb != volume.Run {
		return view, step, 0, err
	}
	kv, _ := w.tree.Tree().Get(w.key(view.ID.StatusKey()))
	if string(kv.Value) != string(status) {
		return view, step, 0, errChanged
	}
	return view, step, kv.ModRevision, nil
}

// settle writes what came of a job, as long as its claim stands. It tries until
// etcd answers or the term ends.
func (w *worker) settle(claimedOn volume.View, step volume.Step, claimed int64, answer volume.Answer, again bool) error {
	pause := time.Duration(0)
	for {
		err := w.tree.Commit(w.writes, func(t *mapping.Tree) (mapping.Plan, error) {
			view := volume.ViewAt(t, w.Prefix, claimedOn.ID)
			// A status that was removed is written again: else nobody would know of
			// what was made.
			if view.StatusRevision != claimed && view.StatusRevision != 0 {
				return mapping.Plan{}, errChanged
			}
			plan := w.guarded(view)
			if step.Job.Action == volume.Delete && !answer.Failed() {
				// A volume that is wanted again keeps its new request.
				w.remove(&plan, view, view.ConfigRevision == 0)
				return plan, nil
			}
			plan.Puts = []mapping.Put{{Key: w.key(view.ID.StatusKey()), Value: w.stamped(step.Job.Outcome(step.Status, answer, again))}}
			return plan, nil
		})
		if err == nil || errors.Is(err, errChanged) || w.writes.Err() != nil {
			return err
		}
		pause = min(pause*2+100*time.Millisecond, 5*time.Second)
		select {
		case <-w.writes.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func (w *worker) key(relative string) string { return w.Prefix + "/" + relative }

// guarded is a plan that holds as long as the volume and the election are what they were.
func (w *worker) guarded(v volume.View) mapping.Plan {
	return mapping.Plan{Guards: []mapping.Guard{
		w.fence,
		{Key: w.key(v.ID.ConfigKey()), ModRevision: v.ConfigRevision},
		{Key: w.key(v.ID.LifecycleKey()), ModRevision: v.RequestRevision},
		{Key: w.key(v.ID.StatusKey()), ModRevision: v.StatusRevision},
	}}
}

// remove plans the status to be gone, and the request too if it is answered by that.
func (w *worker) remove(plan *mapping.Plan, v volume.View, request bool) {
	if v.StatusRevision != 0 {
		plan.Deletes = append(plan.Deletes, w.key(v.ID.StatusKey()))
	}
	if request && v.RequestRevision != 0 {
		plan.Deletes = append(plan.Deletes, w.key(v.ID.LifecycleKey()))
	}
}

func (w *worker) stamped(s volume.Status) []byte {
	s.UpdatedAt = time.Now().UTC().Format(time.RFC3339)
	return s.JSON()
}

// input is what a handler reads.
type input struct {
	Action      volume.Action   `json:"action"`
	VPool       string          `json:"vpool"`
	Volume      string          `json:"volume"`
	VRouter     string          `json:"vrouter"`
	Owner       string          `json:"owner"`
	Generation  int64           `json:"generation"`
	Attempt     int             `json:"attempt"`
	RequestedBy string          `json:"requested_by,omitempty"`
	Old         map[string]any  `json:"old"`
	New         map[string]any  `json:"new"`
	Changed     []volume.Change `json:"changed"`
	Parent      *parent         `json:"parent,omitempty"`
}

// parent is the volume that a clone is made of.
type parent struct {
	Owner  string         `json:"owner"`
	Config map[string]any `json:"config"`
}

// handle runs the handler and makes an answer of whatever it does.
func (w *worker) handle(log *slog.Logger, v volume.View, step volume.Step) volume.Answer {
	job := &step.Job
	in := input{
		Action: job.Action, VPool: v.ID.VPool, Volume: v.ID.Volume, VRouter: w.VRouter, Owner: job.Owner,
		Generation: step.Status.Generation, Attempt: w.attempt, Old: job.Old, New: job.New, Changed: job.Changed,
	}
	if v.Request != nil {
		in.RequestedBy = v.Request.RequestedBy
	}
	if job.Parent != nil {
		in.Parent = &parent{job.Parent.Owner, job.Parent.Config}
	}
	output, err := w.run(w.handlers, in, []string{
		"OVSCFGFS_ACTION=" + string(in.Action), "OVSCFGFS_VPOOL=" + in.VPool, "OVSCFGFS_VOLUME=" + in.Volume,
		"OVSCFGFS_VROUTER=" + in.VRouter, "OVSCFGFS_OWNER=" + in.Owner,
		"OVSCFGFS_GENERATION=" + strconv.FormatInt(in.Generation, 10), "OVSCFGFS_ATTEMPT=" + strconv.Itoa(in.Attempt),
	})
	if err == nil {
		return job.Accept(volume.ParseAnswer(output))
	}
	log.Debug("the handler has failed", "error", err)
	failed := volume.Answer{Error: err.Error(), Retry: !gaveUp(err)}
	if said := volume.ParseAnswer(output); len(output) > 0 && said.Error != "" && !said.Retry && gaveUp(err) {
		failed.Error, failed.Rejected = said.Error, said.Rejected
	}
	return failed
}

// exitGiveUp is the exit code of a handler for which trying again is of no use
// (EX_DATAERR, sysexits.h).
const exitGiveUp = 65

func gaveUp(err error) bool {
	var exit interface{ ExitCode() int }
	return errors.As(err, &exit) && exit.ExitCode() == exitGiveUp
}

// run runs the handler with its time limit.
func (c *Common) run(ctx context.Context, in any, environment []string) ([]byte, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, c.Timeout, errors.New("the handler did not end within "+c.Timeout.String()))
	defer cancel()
	return c.Handler.Run(bounded, environment, text, c.before.files())
}
