package volume

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// world is etcd's three keys of some volumes, agents that may be killed any
// time, and the disks that their handlers work on.
type world struct {
	t        *rapid.T
	revision int64
	keys     map[string]*View
	disks    map[string]disk
	agents   map[string]*agentModel
}

type disk struct {
	owner  string
	config map[string]any
}

type agentModel struct {
	alive bool
	fresh map[string]bool
	jobs  map[string]running
}

// running is a handler at work: what it was told, and its claim.
type running struct {
	step    Step
	claimed int64
}

var (
	volumeNames = []string{"a", "b", "c"}
	routerNames = []string{"r1", "r2", "r3"}
	// parents: c is always a clone of a.
	parents = map[string]string{"c": "a"}
)

func (w *world) next() int64 { w.revision++; return w.revision }

func (w *world) view(name string) View {
	v := *w.keys[name]
	v.ID = ID{"p", name}
	// What is stored is text: nobody shares what another one changes.
	v.Config = clone(v.Config)
	if v.Status != nil {
		s := *v.Status
		s.Config = clone(s.Config)
		v.Status = &s
	}
	return v
}

func clone(config map[string]any) map[string]any {
	if config == nil {
		return nil
	}
	text, _ := json.Marshal(config)
	var copied map[string]any
	readJSON(text, &copied)
	return copied
}

func (w *world) around(self string) Around {
	return Around{
		Self:   self,
		Alive:  func(router string) bool { return w.agents[router] != nil && w.agents[router].alive },
		Volume: w.view,
		Clone: func(of string) string {
			for _, name := range volumeNames {
				v := w.keys[name]
				if parents[name] == of && (v.Config != nil || v.Status != nil && v.Status.Config != nil) {
					return name
				}
			}
			return ""
		},
	}
}

// put is what a user writes, with or without a request.
func (w *world) put(name, router string, size int, asks bool) {
	v := w.keys[name]
	before := v.Config
	v.Config = map[string]any{fieldRouter: router, fieldName: name, fieldPath: "/" + name, "size": json.Number(fmt.Sprint(size))}
	if p := parents[name]; p != "" {
		v.Config[fieldParent], v.Config[fieldSnapshot] = p, "s"
	}
	v.ConfigRevision = w.next()
	if asks {
		w.ask(v, Update, changed(before, v.Config))
	}
}

func (w *world) ask(v *View, action Action, list []Change) {
	v.Request = &Request{Action: action, Generation: v.taken() + 1, Changed: list}
	v.RequestRevision = w.revision
}

func (w *world) remove(name string, asks bool) {
	v := w.keys[name]
	if v.Config == nil {
		return
	}
	before := v.Config
	v.Config, v.ConfigRevision = nil, 0
	w.next()
	if asks {
		w.ask(v, Delete, changed(before, nil))
	}
}

// turn has an agent decide on a volume, and write what it decides.
func (w *world) turn(self, name string, seen View) {
	agent := w.agents[self]
	if _, busy := agent.jobs[name]; busy || !agent.alive {
		return
	}
	a := w.around(self)
	a.Fresh = agent.fresh[name]
	step := Next(seen, a)
	v := w.keys[name]
	if v.ConfigRevision != seen.ConfigRevision || v.RequestRevision != seen.RequestRevision || v.StatusRevision != seen.StatusRevision {
		return // the compare fails
	}
	switch step.Verb {
	case Note, Run:
		if v.Status != nil && step.Status.Generation < v.Status.Generation {
			w.t.Fatalf("%s: the generation goes from %d back to %d", name, v.Status.Generation, step.Status.Generation)
		}
		w.store(name, step.Status)
		if step.Verb == Run {
			w.alone(self, name)
			agent.jobs[name] = running{step, v.StatusRevision}
		}
	case Forget:
		w.forget(name)
	}
}

func (w *world) store(name string, s Status) {
	text := s.JSON()
	v := w.keys[name]
	v.Status = new(Status)
	if !readJSON(text, v.Status) {
		w.t.Fatalf("no status: %s", text)
	}
	v.StatusRevision = w.next()
}

func (w *world) forget(name string) {
	v := w.keys[name]
	v.Status, v.StatusRevision = nil, 0
	if v.Config == nil {
		v.Request, v.RequestRevision = nil, 0
	}
	w.next()
}

// alone holds that no other agent is at work for a volume.
func (w *world) alone(self, name string) {
	for other, agent := range w.agents {
		if _, busy := agent.jobs[name]; busy && agent.alive && other != self {
			w.t.Fatalf("%s: %s begins while %s is at work", name, self, other)
		}
	}
}

// do is what a good handler does.
func (w *world) do(self string, job *Job, config map[string]any) {
	if job.Action == Delete {
		delete(w.disks, job.ID.Volume)
		return
	}
	if job.Action == Clone && w.disks[parents[job.ID.Volume]].config == nil {
		w.t.Fatalf("%s is to be cloned from a volume that is not there", job.ID.Volume)
	}
	w.disks[job.ID.Volume] = disk{self, clone(config)}
}

// finish ends a handler with an answer.
func (w *world) finish(self, name string, answer Answer, again bool) {
	agent := w.agents[self]
	r, busy := agent.jobs[name]
	if !busy {
		return
	}
	delete(agent.jobs, name)
	answer = r.step.Job.Accept(answer)
	outcome := r.step.Job.Outcome(r.step.Status, answer, again)
	if !answer.Failed() {
		w.do(self, &r.step.Job, outcome.Config)
	}
	v := w.keys[name]
	if v.StatusRevision != r.claimed {
		w.t.Fatalf("%s: somebody else has written the status while %s was at work", name, self)
	}
	if r.step.Job.Action == Delete && !answer.Failed() {
		w.forget(name)
	} else {
		w.store(name, outcome)
	}
	if outcome.State != Pending && outcome.State != Deleting {
		delete(agent.fresh, name)
	}
}

func (w *world) start(self string) {
	w.agents[self] = &agentModel{alive: true, jobs: map[string]running{}, fresh: map[string]bool{}}
	for _, name := range volumeNames {
		w.agents[self].fresh[name] = true
	}
}

// kill ends an agent; its handlers may have done what they were told.
func (w *world) kill(self string, did bool) {
	agent := w.agents[self]
	for _, r := range agent.jobs {
		if did && agent.alive {
			w.do(self, &r.step.Job, r.step.Job.New)
		}
	}
	agent.alive, agent.jobs = false, nil
}

// settle lets everything go well until nobody has anything to do.
func (w *world) settle() {
	for _, name := range routerNames {
		w.kill(name, false)
		w.start(name)
	}
	for _, name := range volumeNames {
		if p := parents[name]; p != "" && w.keys[p].Config == nil {
			w.remove(name, false)
		}
		if w.keys[name].Config != nil {
			w.keys[name].ConfigRevision = w.next() // whoever failed has another try
		}
	}
	for last := int64(-1); last != w.revision; {
		last = w.revision
		for _, self := range routerNames {
			for _, name := range volumeNames {
				w.turn(self, name, w.view(name))
				w.finish(self, name, Answer{}, true)
			}
		}
		if w.revision > 10_000 {
			w.t.Fatal("it never ends")
		}
	}
}

func (w *world) check() {
	for _, name := range volumeNames {
		v, d := w.keys[name], w.disks[name]
		if v.Config == nil {
			if d.config != nil || v.Status != nil || v.Request != nil {
				w.t.Fatalf("%s is gone, and left are %+v, status %+v, request %+v", name, d, v.Status, v.Request)
			}
			continue
		}
		if d.owner != v.Config[fieldRouter] || !reflect.DeepEqual(clone(v.Config), d.config) {
			w.t.Fatalf("%s is on disk %+v, and to be %v, status %+v", name, d, v.Config, v.Status)
		}
		if v.Status == nil || v.Status.State != Ready || v.Status.Owner != d.owner || v.Status.Generation < v.asked() || !reflect.DeepEqual(v.Status.Config, d.config) {
			w.t.Fatalf("%s has the status %+v, on disk %+v", name, v.Status, d)
		}
	}
}

// Whatever users write, whoever is killed and whatever handlers answer: no two
// agents are at work for one volume, and once all goes well every volume is as
// its config says.
func TestNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, keys: map[string]*View{}, disks: map[string]disk{}, agents: map[string]*agentModel{}}
		for _, name := range volumeNames {
			w.keys[name] = &View{}
		}
		for _, name := range routerNames {
			w.start(name)
		}
		stale := map[string]View{}
		volumeOf := func() string { return rapid.SampledFrom(volumeNames).Draw(t, "volume") }
		routerOf := func() string { return rapid.SampledFrom(routerNames).Draw(t, "vrouter") }
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				w.put(volumeOf(), routerOf(), rapid.IntRange(1, 3).Draw(t, "size"), rapid.Bool().Draw(t, "asks"))
			},
			"remove": func(t *rapid.T) { w.remove(volumeOf(), rapid.Bool().Draw(t, "asks")) },
			"remember": func(t *rapid.T) {
				name := volumeOf()
				stale[name] = w.view(name)
			},
			"turn": func(t *rapid.T) {
				name := volumeOf()
				w.turn(routerOf(), name, w.view(name))
			},
			"stale turn": func(t *rapid.T) {
				name := volumeOf()
				if v, ok := stale[name]; ok {
					w.turn(routerOf(), name, v)
				}
			},
			"done": func(t *rapid.T) { w.finish(routerOf(), volumeOf(), Answer{}, true) },
			"failed": func(t *rapid.T) {
				w.finish(routerOf(), volumeOf(), Answer{Error: "x", Retry: rapid.Bool().Draw(t, "retry")}, rapid.Bool().Draw(t, "again"))
			},
			"rejected": func(t *rapid.T) {
				w.finish(routerOf(), volumeOf(), Answer{Rejected: []Rejection{{"size", "no"}}}, true)
			},
			"kill":  func(t *rapid.T) { w.kill(routerOf(), rapid.Bool().Draw(t, "did")) },
			"start": func(t *rapid.T) { w.restart(routerOf()) },
		})
		w.settle()
		w.check()
	})
}

func (w *world) restart(self string) {
	if !w.agents[self].alive {
		w.start(self)
	}
}

func TestParseAnswer(t *testing.T) {
	for text, retried := range map[string]bool{
		"": false, " \n": false, "{}": false, `{"applied": [], "rejected": [{"field": "x", "reason": "y"}]}`: false,
		"null": true, "[]": true, "{} {}": true, `{"error": 5}`: true, `{"rejected": [{"reason": "y"}]}`: true, "\x00": true,
	} {
		if a := ParseAnswer([]byte(text)); a.Retry != retried || a.Failed() != retried {
			t.Errorf("%q: %+v", text, a)
		}
	}
}

func TestOf(t *testing.T) {
	for key, want := range map[string]ID{
		"vpool/p/volumes/v/config": {"p", "v"}, "vpool/p/lifecycle/v": {"p", "v"}, "vpool/p/status/v": {"p", "v"},
		"vpool/p/volumes/v": {}, "vpool/p/volumes/v/config/x": {}, "vpool/p/status": {}, "vpools/p/status/v": {}, "": {},
	} {
		if id, ok := Of(key); id != want || ok != (want != ID{}) {
			t.Errorf("%s: %v, %v", key, id, ok)
		}
	}
}
