package agent

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/openvstorage/ovscfgfs/cache"
	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/volume"
)

// Program is what does the work. Run returns when all of it has ended, which is
// soon after ctx has. An error that has an ExitCode is one of the program itself.
type Program interface {
	// What it starts holds the files open.
	Run(ctx context.Context, environment []string, input []byte, files []*os.File) (output []byte, err error)
}

// Common are the options that both kinds of agents have. Client and Handler are
// required, what else is 0 has a default.
type Common struct {
	// Client stays the caller's, who closes it after the agent has returned.
	Client *clientv3.Client
	// Prefix is that of the tree, such as /ovs.
	Prefix  string
	Handler Program
	// Timeout bounds one run of the handler; 5 minutes.
	Timeout time.Duration
	// Retries is how many times a failed action is tried again before it is
	// given up; 10. A deletion is never given up.
	Retries int
	// RetryFirst and RetryMost bound the pause before another try, which doubles
	// from the one to the other; 1 second and 2 minutes.
	RetryFirst, RetryMost time.Duration
	// Reconcile is how often everything is looked at again; 5 minutes.
	Reconcile time.Duration
	// Grace is how long handlers may go on after the agent was told to stop; 20 seconds.
	Grace time.Duration
	// StateDir is for what an agent keeps on its machine. Without it, which only
	// that of volumes may be, one that was killed is followed after the TTL.
	StateDir string
	// TTL is how long after its last sign of life another agent may take over; 10 seconds.
	TTL    time.Duration
	Logger *slog.Logger

	before *predecessor
}

func (c *Common) defaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.Timeout, 5 * time.Minute}, {&c.RetryFirst, time.Second}, {&c.RetryMost, 2 * time.Minute},
		{&c.Reconcile, 5 * time.Minute}, {&c.Grace, 20 * time.Second}, {&c.TTL, 10 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Retries == 0 {
		c.Retries = 10
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// election is that of the agents of a name. The caller has it hold.
func (c *Common) election(name string) (*election, error) {
	key := electionRoot + c.Prefix + "/" + name
	var err error
	if c.before, err = predecessorIn(c.StateDir, key); err != nil {
		return nil, err
	}
	return &election{client: c.Client, key: key, ttl: max(1, int(c.TTL.Round(time.Second).Seconds())), before: c.before, logger: c.Logger}, nil
}

// open follows what is below a key.
func (c *Common) open(ctx context.Context, prefix string, publish func(old, now *mapping.Tree, keys []string)) (*cache.Cache, error) {
	return cache.Open(ctx, cache.Options{Client: c.Client, Settings: mapping.Settings{Prefix: prefix}, Logger: c.Logger, Publish: publish})
}

// VolumeOptions are those of Volumes.
type VolumeOptions struct {
	Common
	VPool, VRouter string
	// Concurrency is how many volumes are worked on at once; 4.
	Concurrency int
}

// volumes is the agent of one vrouter of a vpool.
type volumes struct {
	VolumeOptions
	tree  *cache.Cache // of vpool/P
	peers *cache.Cache // of the agents of the vpool
	dirty dirty
}

// Volumes brings the volumes of one vrouter to what the tree says, until ctx
// ends. Then it begins nothing more and returns when what is under way has
// ended, or was handed back at the end of the grace time.
//
// Errors are *mapping.Error: Invalid for names that cannot be; those of
// cache.Open. Whatever happens to etcd later is waited for.
func Volumes(ctx context.Context, o VolumeOptions) error {
	o.defaults()
	if o.Concurrency == 0 {
		o.Concurrency = 4
	}
	for _, name := range []string{o.VPool, o.VRouter} {
		if name == "" || strings.Contains(name, "/") {
			return mapping.Errorf(mapping.Invalid, "", "%q cannot be the name of a vpool or a vrouter", name)
		}
	}
	o.Logger = o.Logger.With("vpool", o.VPool, "vrouter", o.VRouter)
	v := &volumes{VolumeOptions: o, dirty: newDirty()}
	election, err := v.election("vpool/" + o.VPool + "/" + o.VRouter)
	if err != nil {
		return err
	}
	if v.tree, err = v.open(ctx, o.Prefix+"/vpool/"+o.VPool, v.published); err == nil {
		defer func() { _ = v.tree.Close() }()
		v.peers, err = v.open(ctx, strings.TrimSuffix(election.key, "/"+o.VRouter), v.peersChanged)
	}
	if err == nil {
		defer func() { _ = v.peers.Close() }()
		err = election.hold(ctx, v.lead)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// published notes the volumes that a change of the tree is about.
func (v *volumes) published(_, _ *mapping.Tree, keys []string) {
	for _, key := range keys {
		if id, ok := volume.Of(strings.TrimPrefix(key, v.Prefix+"/")); ok {
			v.dirty.add(id.Volume)
		}
	}
}

// peersChanged has everything looked at when an agent comes or goes.
func (v *volumes) peersChanged(_, _ *mapping.Tree, keys []string) {
	if len(keys) > 0 { // not only the revision has moved
		v.dirty.all()
	}
}

// alive reports whether a vrouter of the vpool has an agent.
func (v *volumes) alive(vrouter string) bool {
	tree := v.peers.Tree()
	for range tree.Under(tree.Settings().Prefix + "/" + vrouter) {
		return true
	}
	return false
}

// next decides on a tree what is to be done for a volume.
func (v *volumes) next(t *mapping.Tree, name string, fresh bool) (volume.View, volume.Step) {
	view := volume.ViewAt(t, v.Prefix, volume.ID{VPool: v.VPool, Volume: name})
	return view, volume.Next(view, volume.Around{
		Self: v.VRouter, Alive: v.alive, Fresh: fresh,
		Volume: func(other string) volume.View {
			return volume.ViewAt(t, v.Prefix, volume.ID{VPool: v.VPool, Volume: other})
		},
		Clone: func(of string) string { return cloneOf(t, of) },
	})
}

// cloneOf finds a volume that is, or is to be, a clone of another one.
func cloneOf(t *mapping.Tree, parent string) string {
	for _, place := range []string{"volumes", "status"} {
		dir, _ := t.Lookup(place)
		if !dir.IsDir() {
			continue
		}
		for node := range dir.Children() {
			config, ok := node.Lookup("config")
			if !ok {
				continue
			}
			named, ok := config.Lookup("parent_volume_id")
			if ok && named.Type() == mapping.String && strings.TrimSuffix(string(named.Content()), "\n") == parent {
				return node.Name()
			}
		}
	}
	return ""
}

// everything lists all volumes that the tree knows of.
func (v *volumes) everything() []string {
	tree := v.tree.Tree()
	var names []string
	seen := map[string]bool{}
	for kv := range tree.Under(tree.Settings().Prefix) {
		if id, ok := volume.Of(strings.TrimPrefix(kv.Key, v.Prefix+"/")); ok && !seen[id.Volume] {
			seen[id.Volume] = true
			names = append(names, id.Volume)
		}
	}
	return names
}
