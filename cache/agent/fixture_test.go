package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/openvstorage/ovscfgfs/cache/agent"
	"github.com/openvstorage/ovscfgfs/cache/embedded"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long bounds what takes well under a second on an idle machine.
const long = 90 * time.Second

// lab is an etcd with agents.
type lab struct {
	*clientv3.Client
	t    *testing.T
	addr string
	ctx  context.Context
}

func newLab(t *testing.T) *lab {
	t.Helper()
	server, err := embedded.Start(t.TempDir(), "http://127.0.0.1:0", nil, embedded.UnsafeNoFsync())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), long)
	t.Cleanup(cancel)
	addr := strings.TrimPrefix(server.Endpoints()[0], "http://")
	return &lab{Client: dial(t, addr), t: t, addr: addr, ctx: ctx}
}

func dial(t *testing.T, addr string) *clientv3.Client {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{addr}, Logger: zap.NewNop(), DialKeepAliveTime: time.Second, DialKeepAliveTimeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// handler is a Program that is a function.
type handler func(ctx context.Context, env map[string]string, in input) (string, error)

type input struct {
	Action   string
	Volume   string
	Owner    string
	Attempt  int
	Old, New map[string]any
	Changed  []volume.Change
	Parent   *struct{ Owner string }
}

func (h handler) Run(ctx context.Context, environment []string, text []byte, _ []*os.File) ([]byte, error) {
	var in input
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	env := map[string]string{}
	for _, line := range environment {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	output, err := h(ctx, env, in)
	return []byte(output), err
}

// running is an agent in the background.
type running struct {
	stop context.CancelFunc
	done chan error
}

// start runs an agent of the vpool p until the test's end.
func (l *lab) start(vrouter string, h agent.Program, change ...func(*agent.VolumeOptions)) *running {
	l.t.Helper()
	o := agent.VolumeOptions{
		Common: agent.Common{
			Client: l.Client, Prefix: "/ovs", Handler: h, TTL: 2 * time.Second, Timeout: long, Grace: long,
			RetryFirst: 10 * time.Millisecond, RetryMost: 50 * time.Millisecond, Reconcile: time.Hour,
		},
		VPool: "p", VRouter: vrouter,
	}
	if os.Getenv("AGENT_LOG") != "" {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	for _, c := range change {
		c(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- agent.Volumes(ctx, o) }()
	l.t.Cleanup(func() { r.end(l.t) })
	return r
}

// end stops the agent and waits.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("the agent ended with %v", err)
		}
		r.done <- nil
	case <-time.After(long):
		t.Fatal("the agent does not stop")
	}
}

const uuid = "00000000-0000-4000-8000-%012d"

func name(n int) string       { return fmt.Sprintf(uuid, n) }
func configKey(n int) string  { return "/ovs/vpool/p/volumes/" + name(n) + "/config" }
func requestKey(n int) string { return "/ovs/vpool/p/lifecycle/" + name(n) }
func statusKey(n int) string  { return "/ovs/vpool/p/status/" + name(n) }

// config is a volume's; fields are pairs of name and JSON.
func config(n int, vrouter string, fields ...string) string {
	text := fmt.Sprintf(`{"volume_router": %q, "name": "v%d", "filesystem_path": "/v%d"`, vrouter, n, n)
	for i := 0; i < len(fields); i += 2 {
		text += fmt.Sprintf(", %q: %s", fields[i], fields[i+1])
	}
	return text + "}"
}

func (l *lab) put(pairs ...string) {
	l.t.Helper()
	var ops []clientv3.Op
	for i := 0; i < len(pairs); i += 2 {
		ops = append(ops, clientv3.OpPut(pairs[i], pairs[i+1]))
	}
	if _, err := l.Txn(l.ctx).Then(ops...).Commit(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) del(key string) {
	l.t.Helper()
	if _, err := l.Delete(l.ctx, key); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) delAll(prefix string) {
	l.t.Helper()
	if _, err := l.Delete(l.ctx, prefix, withPrefix()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) status(n int) (s volume.Status, there bool) {
	l.t.Helper()
	got, err := l.Get(l.ctx, statusKey(n))
	if err != nil {
		l.t.Fatal(err)
	}
	if len(got.Kvs) == 0 {
		return s, false
	}
	if err := json.Unmarshal(got.Kvs[0].Value, &s); err != nil && string(got.Kvs[0].Value) != "rubbish" {
		l.t.Fatal(err)
	}
	return s, true
}

// await waits for a status that does; gone is that of none.
func (l *lab) await(n int, does func(s volume.Status, there bool) bool) volume.Status {
	l.t.Helper()
	watching, cancel := context.WithCancel(l.ctx)
	defer cancel()
	changes := l.Watch(watching, statusKey(n))
	for {
		s, there := l.status(n)
		if does(s, there) {
			return s
		}
		if _, ok := <-changes; !ok {
			l.t.Fatalf("volume %d: what was awaited did not come: %+v", n, s)
		}
	}
}

func (l *lab) awaitState(n int, state volume.State) volume.Status {
	l.t.Helper()
	return l.await(n, func(s volume.Status, there bool) bool { return there && s.State == state })
}

func (l *lab) awaitGone(n int) {
	l.t.Helper()
	l.await(n, func(_ volume.Status, there bool) bool { return !there })
}

// journal is a handler that notes what it is asked for and takes everything.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(in input) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var names []string
	for _, c := range in.Changed {
		names = append(names, c.Name)
	}
	line := in.Action + " " + in.Volume[len(in.Volume)-1:]
	if in.Action == "update" || in.Action == "migrate" {
		line += " " + strings.Join(names, ",")
	}
	j.lines = append(j.lines, line)
}

func (j *journal) Run(ctx context.Context, environment []string, text []byte, files []*os.File) ([]byte, error) {
	return handler(func(_ context.Context, _ map[string]string, in input) (string, error) {
		j.note(in)
		return "", nil
	}).Run(ctx, environment, text, files)
}

func (j *journal) want(t *testing.T, lines ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if got, want := strings.Join(j.lines, "; "), strings.Join(lines, "; "); got != want {
		t.Errorf("the handler was asked for\n%s, want\n%s", got, want)
	}
	j.lines = nil
}

func withPrefix() clientv3.OpOption          { return clientv3.WithPrefix() }
func withRevision(n int64) clientv3.OpOption { return clientv3.WithRev(n) }
