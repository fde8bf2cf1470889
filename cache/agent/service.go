package agent

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

// ServiceOptions are those of Service. All are required, also the StateDir, which
// has a file with what each service runs with.
type ServiceOptions struct {
	Common
	Service   service.Service
	Catalogue *catalogue.Catalogue
}

// serving is the agent of one service.
type serving struct {
	ServiceOptions
	tree  *cache.Cache // of the service's directory
	dirty chan struct{}
	state *state
}

// Service answers the reloads of one service until ctx ends: it has the handler
// check and apply the configuration each time that the counter has another
// value than the report, and writes the report. Edits alone do nothing. Then it
// returns when what is under way has ended, or was stopped after the grace time.
//
// Errors are those of cache.Open, and of the state's file.
func Service(ctx context.Context, o ServiceOptions) error {
	o.defaults()
	o.Logger = o.Logger.With("service", o.Service.Dir)
	v := &serving{ServiceOptions: o, dirty: make(chan struct{}, 1)}
	election, err := v.election(o.Service.Dir)
	if err != nil {
		return err
	}
	if v.state, err = readState(filepath.Join(o.StateDir, fileName(o.Prefix+"/"+o.Service.Dir)+".json")); err != nil {
		return err
	}
	if v.tree, err = v.open(ctx, o.Prefix+"/"+o.Service.Dir, v.published); err == nil {
		defer func() { _ = v.tree.Close() }()
		err = election.hold(ctx, v.lead)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (v *serving) published(_, _ *mapping.Tree, keys []string) {
	if len(keys) > 0 { // not only the revision has moved
		v.look()
	}
}

// look has the counter looked at.
func (v *serving) look() {
	select {
	case v.dirty <- struct{}{}:
	default:
	}
}

// lead works for one term.
func (v *serving) lead(term context.Context, fence mapping.Guard) error {
	v.look()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval, pause.Multiplier = v.RetryFirst, v.RetryMost, 2
	tick := time.NewTicker(v.Reconcile)
	defer tick.Stop()
	for attempt := 1; ; {
		select {
		case <-term.Done():
			return nil
		case <-v.dirty:
		case <-tick.C:
		}
		for term.Err() == nil {
			again, err := v.answer(term, fence, attempt)
			if err == nil && !again {
				attempt = 1
				pause.Reset()
				break
			}
			if again {
				attempt++
			} else {
				v.Logger.Warn("the report cannot be written: trying again", "error", err)
			}
			select {
			case <-term.Done():
			case <-time.After(pause.NextBackOff()):
			}
		}
	}
}

// asked is the count that has no report yet.
func (v *serving) asked(t *mapping.Tree) (count int64, asked bool) {
	if _, there := t.Lookup("reload"); !there {
		return 0, false
	}
	count, ok := service.Count(t, "reload")
	return count, ok && count != answered(t)
}

// answered is the generation of the report.
func answered(t *mapping.Tree) int64 {
	count, ok := service.Count(t, "report/generation")
	if !ok {
		return 0
	}
	return count
}

// answer answers the newest count, if it has no report. again: the handler has
// failed, and is to be tried again.
func (v *serving) answer(term context.Context, fence mapping.Guard, attempt int) (again bool, err error) {
	tree := v.tree.Tree()
	count, asked := v.asked(tree)
	if !asked {
		return false, nil
	}
	reload, _ := tree.Get(v.Prefix + "/" + v.Service.Reload)
	report := v.state.Report
	if report == nil || report.Generation != count || v.state.Asked != reload.ModRevision {
		// A run that is under way may go on for the grace time.
		handler, stop := context.WithCancelCause(context.WithoutCancel(term))
		defer stop(nil)
		defer context.AfterFunc(term, func() {
			if errors.Is(context.Cause(term), errLost) {
				stop(errLost)
				return
			}
			time.AfterFunc(v.Grace, func() { stop(errStopped) })
		})()
		if report, again = v.reload(handler, tree, count, reload.ModRevision, attempt); again {
			return true, nil
		}
	}
	writes, cancel := context.WithTimeout(context.WithoutCancel(term), writeAfterStop)
	defer cancel()
	defer context.AfterFunc(term, func() {
		if errors.Is(context.Cause(term), errLost) {
			cancel()
		}
	})()
	return false, v.write(writes, fence, report)
}

// write stores a report, unless there is one for that count already.
func (v *serving) write(ctx context.Context, fence mapping.Guard, report *service.Report) error {
	report.UpdatedAt = time.Now().UTC().Format(time.RFC3339)
	key := v.Prefix + "/" + v.Service.Report
	return v.tree.Commit(ctx, func(t *mapping.Tree) (mapping.Plan, error) {
		kv, _ := t.Get(key)
		if kv.ModRevision != 0 && answered(t) == report.Generation {
			return mapping.Plan{}, nil
		}
		return mapping.Plan{
			Guards: []mapping.Guard{fence, {Key: key, ModRevision: kv.ModRevision}},
			Puts:   []mapping.Put{{Key: key, Value: report.JSON(), Lease: kv.Lease}},
		}, nil
	})
}

// reload has the handler check and apply what is stored, and keeps what came of
// it before it is told.
func (v *serving) reload(ctx context.Context, t *mapping.Tree, count, asked int64, attempt int) (report *service.Report, again bool) {
	log := v.Logger.With("generation", count, "attempt", attempt)
	log.Info("begins")
	report = &service.Report{Generation: count, Updates: []service.Update{}, Rejected: []service.Problem{}, RestartRequired: []service.Update{}}
	stored, components, ok := v.Service.ConfigIn(t)
	if !ok {
		report.Error = "there is no configuration"
		return report, false
	}
	running := v.state.running()
	failed := func(a service.Answer) (*service.Report, bool) {
		if a.Retry && attempt <= v.Retries || ctx.Err() != nil {
			log.Warn("failed: trying again", "error", a.Error)
			return nil, true
		}
		log.Error("failed: given up until the next reload", "error", a.Error)
		report.Error = a.Error
		return report, false
	}
	said := func(action string) (service.Comparison, service.Answer) {
		differs := service.Compare(v.Catalogue, v.Service, running, stored)
		report.RestartRequired = service.Masked(differs.Restart)
		return differs, v.ask(ctx, reloadInput{
			Action: action, Service: v.Service.Dir, Kind: v.Service.Kind, Generation: count, Attempt: attempt,
			Running: running.JSON(), Config: stored.JSON(), Changed: differs.Dynamic, RestartRequired: differs.Restart,
		})
	}
	_, answer := said("check")
	if answer.Running != nil {
		running = service.ParseConfig(answer.Running, components)
	}
	if answer.Error != "" {
		return failed(answer)
	}
	if len(answer.Rejected) > 0 { // nothing is applied
		differs := service.Compare(v.Catalogue, v.Service, running, stored)
		report.RestartRequired = service.Masked(differs.Restart)
		report.Rejected = append(differs.Fixed, answer.Rejected...)
		log.Warn("the check has refused it", "rejected", len(answer.Rejected))
		return report, v.keep(running, report, asked, failed)
	}
	differs, answer := said("reload")
	if answer.Error != "" {
		return failed(answer)
	}
	made, missed := answer.Made(differs)
	report.Updates = service.Masked(made)
	report.Rejected = append(differs.Fixed, missed...)
	log.Info("done", "updates", len(made), "rejected", len(report.Rejected), "restart_required", len(report.RestartRequired))
	return report, v.keep(service.Applied(running, stored, made), report, asked, failed)
}

// keep stores what the service runs with, and the report that is to be written.
func (v *serving) keep(running service.Config, report *service.Report, asked int64, failed func(service.Answer) (*service.Report, bool)) (again bool) {
	if err := v.state.save(running, report, asked); err != nil {
		_, again = failed(service.Answer{Error: "the state cannot be kept: " + err.Error(), Retry: true})
	}
	return again
}

// reloadInput is what a service's handler reads.
type reloadInput struct {
	Action          string           `json:"action"` // check or reload
	Service         string           `json:"service"`
	Kind            service.Kind     `json:"kind"`
	Generation      int64            `json:"generation"`
	Attempt         int              `json:"attempt"`
	Running         map[string]any   `json:"running"`
	Config          map[string]any   `json:"config"`
	Changed         []service.Update `json:"changed"`
	RestartRequired []service.Update `json:"restart_required"`
}

// ask runs the handler and makes an answer of whatever it does.
func (v *serving) ask(ctx context.Context, in reloadInput) service.Answer {
	output, err := v.run(ctx, in, []string{
		"OVSCFGFS_ACTION=" + in.Action, "OVSCFGFS_SERVICE=" + in.Service, "OVSCFGFS_KIND=" + string(in.Kind),
		"OVSCFGFS_GENERATION=" + strconv.FormatInt(in.Generation, 10), "OVSCFGFS_ATTEMPT=" + strconv.Itoa(in.Attempt),
	})
	if err != nil {
		return service.Answer{Error: err.Error(), Retry: !gaveUp(err)}
	}
	return service.ParseAnswer(output)
}
