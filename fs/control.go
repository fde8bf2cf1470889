package fs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// controlName is the directory of the mount's own files, in the root and never
// listed. No entry of the tree has this name: its dot would be encoded.
const controlName = ".ovscfgfs"

// The files in it.
const (
	controlStatus  = "status"
	controlErrors  = "errors"
	controlConfig  = "config"
	controlBarrier = "barrier"
	controlMetrics = "metrics"
	controlTimes   = "times"
)

var controlNames = [...]string{controlStatus, controlErrors, controlConfig, controlBarrier, controlMetrics, controlTimes, controlEvents}

// control answers for .ovscfgfs. A file's content is made by the first read of
// each open, on a read-only mount by that of each inode (computed).
type control struct {
	s       *server
	started time.Time
}

func newControl(s *server) *control {
	return &control{s: s, started: time.Now()}
}

// lookupControl answers for .ovscfgfs itself and the names in it.
func (s *server) lookupControl(parent *inode, name string, out *fuse.EntryOut) fuse.Status {
	if parent == s.table.root {
		return s.answer(s.table.refer(parent, name, kindControl, shapeDir, nil), out)
	}
	if (name == controlHistory || name == controlTransactions && !s.opt.ReadOnly) && parent.name == controlName {
		return s.answer(s.table.refer(parent, name, kindControl, shapeDir, nil), out)
	}
	for _, known := range controlNames {
		if name == known {
			return s.answer(s.referComputed(parent, name, kindControl), out)
		}
	}
	return fuse.ENOENT
}

func (c *control) list(dir *inode) []listed {
	if c.s.isHistory(dir) {
		return nil // each revision is there for who asks, and there are too many to list
	}
	var list []listed
	if c.s.isTransactions(dir) {
		return c.s.transactions.list()
	}
	for k, name := range controlNames {
		list = append(list, listed{cookie: uint64(cookieArray + k), name: name, mode: fuse.S_IFREG})
	}
	list = append(list, listed{cookie: uint64(cookieArray + len(controlNames)), name: controlHistory, mode: fuse.S_IFDIR})
	if !c.s.opt.ReadOnly {
		list = append(list, listed{cookie: uint64(cookieArray + len(controlNames) + 1), name: controlTransactions, mode: fuse.S_IFDIR})
	}
	return list
}

func (c *control) attributes(i *inode, a *fuse.Attr) {
	*a = fuse.Attr{Ino: i.ino.Load(), Nlink: 1, Blksize: blockSize}
	a.Uid, a.Gid = c.s.opt.UID, c.s.opt.GID
	setTimes(a, c.started)
	if i.dir != nil {
		a.Mode, a.Nlink = fuse.S_IFDIR|c.s.opt.DirMode&^0o222, 2
		if c.s.isTransactions(i) {
			a.Mode |= c.s.opt.DirMode & 0o222
		}
		return
	}
	a.Mode = fuse.S_IFREG | c.s.opt.FileMode&^0o222
	setSize(a, c.size(i.name))
}

// size is what stat shows. It bounds what is read where the kernel opens files
// by itself.
func (c *control) size(name string) int64 {
	if name == controlEvents {
		return 0
	}
	if name == controlBarrier {
		return int64(len("9223372036854775807\n"))
	}
	content, err := c.content(context.Background(), name)
	if err != nil {
		return 0
	}
	// The content may grow between stat and read.
	return int64(len(content)) + 64
}

// content is what name holds now.
func (c *control) content(ctx context.Context, name string) ([]byte, error) {
	switch name {
	case controlStatus:
		if c.s.opt.Status == nil {
			return indented(struct {
				Revision int64 `json:"revision"`
			}{c.s.store.Tree().Revision()})
		}
		return indented(c.s.opt.Status())
	case controlErrors:
		return c.s.problems.lines(), nil
	case controlConfig:
		return indented(c.s.opt.Config)
	case controlMetrics:
		return c.metrics(), nil
	case controlTimes:
		return c.s.times.lines(), nil
	case controlBarrier:
		return c.barrier(ctx)
	}
	if name == controlEvents {
		return nil, mapping.Errorf(mapping.NotSupported, controlName+"/"+name, "a read-only mount cannot tell changes as they come, because its files are read without a handle; use ovscfgfs watch")
	}
	return nil, mapping.Errorf(mapping.NotFound, name, "there is no such file in %s", controlName)
}

func indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// barrier waits until the mount shows the store's newest revision, and the
// kernel has been told of it, and of what was changed in transactions.
func (c *control) barrier(ctx context.Context) ([]byte, error) {
	revision, err := c.s.store.Barrier(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case <-c.s.notices.caughtUp():
	case <-ctx.Done():
		return nil, mapping.Errorf(mapping.Canceled, controlName+"/"+controlBarrier, "the wait was interrupted")
	}
	wait := func(told <-chan struct{}, limit *time.Timer) {
		select {
		case <-told:
		case <-limit.C:
			limit.Reset(0) // nor for what follows
		case <-ctx.Done():
		}
	}
	stuck := time.NewTimer(maxEchoWait)
	defer stuck.Stop()
	private := c.s.transactions.notices()
	for _, w := range private {
		wait(w.caughtUp(), stuck)
	}
	// Someone may use a name again and again: not for ever.
	busy := time.NewTimer(10 * grace)
	defer busy.Stop()
	for _, w := range append(private, c.s.notices) {
		wait(w.calm(), busy)
	}
	wait(c.s.echoes.caughtUp(), stuck)
	for _, w := range append(private, c.s.notices) {
		if !w.idle() {
			wait(w.workedOff(), stuck) // what all that has left to be looked at
		}
	}
	return append(strconv.AppendInt(nil, revision, 10), '\n'), nil
}

// metrics is in Prometheus' text format.
func (c *control) metrics() []byte {
	var b bytes.Buffer
	t := c.s.store.Tree()
	size, quota := c.s.store.Usage()
	for _, m := range []struct {
		name, kind, help string
		value            int64
	}{
		{"revision", "gauge", "Revision that the mount shows.", t.Revision()},
		{"keys", "gauge", "Keys under the prefix.", int64(t.Keys())},
		{"inodes", "gauge", "Files and directories that the kernel knows.", int64(c.s.table.size())},
		{"store_bytes", "gauge", "Size of the store.", size},
		{"store_quota_bytes", "gauge", "Limit of the store's size.", quota},
		{"transactions", "gauge", "Transactions that are open.", int64(c.s.transactions.count())},
		{"failures_total", "counter", "Operations that failed with words in errors.", int64(c.s.problems.count())},
		{"published_total", "counter", "Changes of the tree since the mount.", int64(c.s.notices.publishedCount())},
	} {
		fmt.Fprintf(&b, "# HELP ovscfgfs_%s %s\n# TYPE ovscfgfs_%s %s\novscfgfs_%s %d\n",
			m.name, m.help, m.name, m.kind, m.name, m.value)
	}
	return b.Bytes()
}

// open returns a handle; the content is made by its first read.
func (c *control) open(i *inode) openFile {
	if i.name == controlEvents {
		return c.s.streams.subscribe()
	}
	return &controlFile{c: c, name: i.name}
}

// controlFile is an open control file.
type controlFile struct {
	c    *control
	name string

	mu      sync.Mutex
	made    bool
	content []byte
}

func (f *controlFile) read(cancel <-chan struct{}, buf []byte, offset int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.made || offset == 0 {
		content, err := f.c.content(fuseContext(cancel), f.name)
		if err != nil {
			return nil, err
		}
		f.made, f.content = true, content
	}
	return part(f.content, offset, len(buf)), nil
}

func (f *controlFile) size() (int64, bool) { return 0, false }

// read answers a read without a handle.
func (c *control) read(cancel <-chan struct{}, i *inode, in *fuse.ReadIn) (fuse.ReadResult, fuse.Status) {
	r, ok := c.s.computed.get(i)
	if !ok {
		content, err := c.content(fuseContext(cancel), i.name)
		if err != nil {
			return nil, c.s.fail("read", c.s.path(i), err)
		}
		r = rendered{content: content}
		c.s.computed.put(i, r)
	}
	return slice(r.content, in), fuse.OK
}

func fuseContext(cancel <-chan struct{}) context.Context { return &fuse.Context{Cancel: cancel} }
