package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/openvstorage/ovscfgfs/cache/agent"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
	"github.com/openvstorage/ovscfgfs/mapping/service"
)

const router = "/ovs/vpools/p/hosts/r1"

// fakeService notes the changes that its handler is told.
type fakeService struct {
	mu    sync.Mutex
	asked []string
	says  func(action string, in serviceInput) (string, error)
}

type serviceInput struct {
	Action  string
	Running map[string]any
	Config  map[string]any
	Changed []service.Update
}

func (f *fakeService) Run(_ context.Context, _ []string, text []byte, _ []*os.File) ([]byte, error) {
	var in serviceInput
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	line := in.Action
	for _, u := range in.Changed {
		line += fmt.Sprintf(" %s=%v", u.Param, u.New)
	}
	f.asked = append(f.asked, line)
	if f.says == nil {
		return nil, nil
	}
	output, err := f.says(in.Action, in)
	return []byte(output), err
}

func (f *fakeService) want(t *testing.T, lines ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if got, want := strings.Join(f.asked, "; "), strings.Join(lines, "; "); got != want {
		t.Errorf("the handler was asked\n%s, want\n%s", got, want)
	}
	f.asked = nil
}

func (l *lab) serve(state string, f *fakeService) *running {
	l.t.Helper()
	known, err := catalogue.Load()
	if err != nil {
		l.t.Fatal(err)
	}
	at, _ := service.At(strings.TrimPrefix(router, "/ovs/"))
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, done: make(chan error, 1)}
	go func() {
		r.done <- agent.Service(ctx, agent.ServiceOptions{
			Common: agent.Common{
				Client: l.Client, Prefix: "/ovs", Handler: f, TTL: 2 * time.Second, Timeout: long, Grace: long, Retries: 3,
				RetryFirst: 10 * time.Millisecond, RetryMost: 50 * time.Millisecond, Reconcile: time.Hour,
				StateDir: state,
			},
			Service: at, Catalogue: known,
		})
	}()
	l.t.Cleanup(func() { r.end(l.t) })
	return r
}

// report waits for the answer to a count.
func (l *lab) report(generation int64) service.Report {
	l.t.Helper()
	changes := l.Watch(l.ctx, router+"/report")
	for {
		got, err := l.Get(l.ctx, router+"/report")
		if err != nil {
			l.t.Fatal(err)
		}
		var r service.Report
		if len(got.Kvs) > 0 {
			if err := json.Unmarshal(got.Kvs[0].Value, &r); err != nil {
				l.t.Fatal(err)
			}
			if r.Generation == generation {
				return r
			}
		}
		if _, ok := <-changes; !ok {
			l.t.Fatalf("no report of %d: %+v", generation, r)
		}
	}
}

// The counter alone has the service act, and the report says what came of it.
func TestService(t *testing.T) {
	l := newLab(t)
	f := &fakeService{}
	state := t.TempDir()
	l.put(router+"/config/filesystem", `{"fs_dtl_mode": "Asynchronous", "fs_max_open_files": 10, "fs_ignore_sync": true}`,
		router+"/config/volume_router", `{"vrouter_id": "r1", "vrouter_redirect_timeout_ms": "5000"}`)
	r := l.serve(state, f)
	l.put(router+"/reload", "1")
	// Nothing is known of the service yet: all that is dynamic is told.
	first := l.report(1)
	if len(first.Updates) != 3 || len(first.RestartRequired) != 0 || len(first.Rejected) != 0 {
		t.Errorf("report %+v", first)
	}
	f.want(t, "check fs_dtl_mode=Asynchronous fs_ignore_sync=true vrouter_redirect_timeout_ms=5000",
		"reload fs_dtl_mode=Asynchronous fs_ignore_sync=true vrouter_redirect_timeout_ms=5000")

	// Edits alone do nothing. 5000 is "5000" to the volumedriver, and what is missing has its default.
	l.put(router+"/config/filesystem", `{"fs_dtl_mode": "Synchronous", "fs_max_open_files": 11}`)
	l.put(router+"/config/volume_router", `{"vrouter_id": "other", "vrouter_redirect_timeout_ms": 5000}`)
	l.put(router+"/reload", "2")
	second := l.report(2)
	f.want(t, "check fs_dtl_mode=Synchronous fs_ignore_sync=false", "reload fs_dtl_mode=Synchronous fs_ignore_sync=false")
	if len(second.Updates) != 2 || second.Updates[0].Component != "filesystem" || second.Updates[0].Old != "Asynchronous" || second.Updates[1].Old != true || second.Updates[1].New != false {
		t.Errorf("updates %+v", second.Updates)
	}
	if len(second.RestartRequired) != 1 || second.RestartRequired[0].Param != "fs_max_open_files" {
		t.Errorf("restart_required %+v", second.RestartRequired)
	}
	if len(second.Rejected) != 1 || second.Rejected[0].Param != "vrouter_id" {
		t.Errorf("rejected %+v", second.Rejected)
	}

	// A failed check has nothing applied, and the next reload tells it again. The
	// agent was away meanwhile.
	r.end(t)
	f.says = func(action string, _ serviceInput) (string, error) {
		return `{"rejected": [{"component_name": "filesystem", "param_name": "fs_dtl_mode", "problem": "not now"}]}`, nil
	}
	l.put(router+"/config/filesystem", `{"fs_dtl_mode": "Asynchronous", "fs_max_open_files": 11}`)
	l.put(router+"/reload", "3")
	l.serve(state, f)
	third := l.report(3)
	f.want(t, "check fs_dtl_mode=Asynchronous")
	if len(third.Updates) != 0 || len(third.Rejected) != 2 || third.Rejected[1].Problem != "not now" || len(third.RestartRequired) != 1 {
		t.Errorf("report %+v", third)
	}
	// What the service does not say to have applied it has not, and one that
	// tells what it runs with is believed.
	f.mu.Lock()
	f.says = func(action string, _ serviceInput) (string, error) {
		if action == "check" {
			return `{"running": {"filesystem": {"fs_dtl_mode": "Synchronous", "fs_max_open_files": 11}, "volume_router": {"vrouter_id": "other"}}}`, nil
		}
		return `{"updates": [{"param_name": "fs_dtl_mode"}]}`, nil
	}
	f.mu.Unlock()
	l.put(router+"/reload", "4")
	fourth := l.report(4)
	if len(fourth.Updates) != 1 || len(fourth.Rejected) != 1 || fourth.Rejected[0].Param != "vrouter_redirect_timeout_ms" || len(fourth.RestartRequired) != 0 {
		t.Errorf("report %+v", fourth)
	}
}

// A handler that fails is tried again, and in the end the words are in the report.
func TestServiceFails(t *testing.T) {
	l := newLab(t)
	f := &fakeService{says: func(string, serviceInput) (string, error) { return "rubbish", nil }}
	l.put(router+"/config/fuse", `{"fuse_min_workers": 1}`, router+"/reload", "7")
	l.serve(t.TempDir(), f)
	r := l.report(7)
	if !strings.Contains(r.Error, "no answer") || len(r.Updates) != 0 {
		t.Errorf("report %+v", r)
	}
	if len(f.asked) != 4 {
		t.Errorf("asked %q", f.asked)
	}
	l.put(router+"/reload", `"no counter"`)
	f.says = nil
	l.put(router+"/reload", "1") // any other value is a new word
	l.report(1)
}
