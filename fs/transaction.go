package fs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// numberShift splits the number that the kernel knows an inode by: above it is
// the number of the transaction, 0 for the mount itself.
const numberShift = 40

// transaction is a private copy of the tree that is shown, with all that a
// mount has, by a server of its own within the mount's connection: inodes,
// scratch files, what waits to be written, and notices.
type transaction struct {
	number uint64
	store  *private
	inner  *server
	// name is that in .ovscfgfs/txn, "" once it has ended, and had the one before; guarded by transactions.mu.
	name, had string
}

// newTransaction begins one. Its scratch files lie in dir, which goes with it.
func newTransaction(s *server, number uint64, name, dir string) (*transaction, error) {
	t := &transaction{number: number, store: newPrivate(s.store), name: name}
	o := s.opt
	o.Store, o.StateDir, o.Status, o.Config, o.EchoCommand, o.Locks = t.store, dir, nil, nil, nil, nil
	t.inner = newServer(o)
	t.inner.locks.on = s.locks.on // its files are only here
	t.inner.within = t
	t.inner.table = newTableOf(number)
	t.inner.table.replaced = t.inner.notices.replace
	t.inner.table.root.dir.top = &top{source: t.store}
	t.inner.problems.also = func(p problem) {
		in := pathOfTransaction(s.transactions.calledLast(t))
		p.Path = join(in, p.Path)
		if p.To != "" {
			p.To = join(in, p.To)
		}
		s.problems.tell(p)
	}
	t.store.published = t.inner.published
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, mapping.Errorf(mapping.Other, "", "no directory for the transaction's scratch files: %w; set --state-dir", err)
	}
	t.inner.temporary = dir
	if err := t.inner.openLayer(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	t.inner.notices.start(s.notices.kernel)
	return t, nil
}

// newTableOf returns the table of a transaction, whose root the kernel does not know yet.
func newTableOf(number uint64) *table {
	base := number << numberShift
	root := &inode{id: base | rootID, dir: &directory{}}
	tb := &table{
		byID:   numbers{base: base},
		locals: make(map[*inode]local),
		last:   root.id,
		root:   root,
		claims: make(map[claim]int),
		moved:  moves{salt: xxhash.Sum64String("transaction " + strconv.FormatUint(number, 10))},
	}
	root.ino.Store(tb.moved.number(nil))
	tb.byID.add(root)
	return tb
}

// answer answers a lookup of the transaction's root. Its name may end any
// time, so the kernel keeps nothing.
func (t *transaction) answer(out *fuse.EntryOut) fuse.Status {
	root := t.inner.table.root
	if _, st := t.inner.attributes(root, &out.Attr); !st.Ok() {
		return st
	}
	t.inner.table.mu.Lock()
	root.lookups++
	t.inner.table.mu.Unlock()
	out.NodeId = root.id
	return fuse.OK
}

// forgotten reports whether the kernel knows nothing of it.
func (t *transaction) forgotten() bool {
	tb := t.inner.table
	tb.mu.RLock()
	defer tb.mu.RUnlock()
	return tb.root.lookups == 0 && tb.byID.count == 1
}

// commit makes all that was changed in it one change of the store. With reload, that counts up
// the services whose configuration was changed.
func (t *transaction) commit(reload bool) error {
	if err := t.settle(); err != nil {
		return err
	}
	err := t.store.commitAll(context.Background(), reload)
	var conflicts mapping.Conflicts
	if errors.As(err, &conflicts) {
		return mapping.Errorf(mapping.Busy, "", "%w; both sides are in .ovscfgfs/errors, and the transaction stays: give what conflicts the value that it has outside and commit again, or drop the transaction with rmdir", conflicts)
	}
	return err
}

// settle brings what waits for its time into the private tree: removals that
// are held back, and files that are closed but whose last close is on its way here.
func (t *transaction) settle() error {
	s := t.inner
	for _, w := range s.layer.unopened() {
		s.saveUnopened(w)
	}
	for _, w := range s.layer.allWorks() {
		if err := s.saveClosed(w); err != nil {
			return err
		}
	}
	s.expireBelow("")
	return nil
}

// saveClosed commits what only a last close would. A file that was written to
// and not closed is refused: it may be half written.
func (s *server) saveClosed(w *work) error {
	defer s.share(w.name)()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return nil
	}
	if w.changed {
		return mapping.Errorf(mapping.Busy, "", "%s is still open, with changes that are not stored yet: close it, and commit again", w.name())
	}
	return s.save(w)
}

// allWorks returns what is open for writing anywhere.
func (l *layer) allWorks() []*work {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var all []*work
	for _, list := range l.works {
		all = append(all, list...)
	}
	return all
}

// close lets go of everything. The kernel knows nothing of it any more, or the mount is gone.
func (t *transaction) close() {
	t.store.end("has ended")
	t.inner.closeLayer()
	t.inner.notices.close()
	t.inner.history.close()
}

// noticeWait bounds how long a commit waits for its notices. (It must not be without a bound: the
// kernel holds the lock of .ovscfgfs/txn meanwhile, and a rename into that directory may
// wait for it with another directory locked, which a notice waits for.)
const noticeWait = 5 * time.Second

// awaitNotices waits until the kernel was told of what was published so far.
func (s *server) awaitNotices() {
	timer := time.NewTimer(noticeWait)
	defer timer.Stop()
	select {
	case <-s.notices.caughtUp():
	case <-timer.C:
	}
}

// directoryOf is where the scratch files of a transaction lie.
func (ts *transactions) directoryOf(number uint64) string {
	dir := ts.s.opt.StateDir
	if dir == "" {
		dir = ts.s.temporary
	}
	return filepath.Join(dir, "transactions", strconv.FormatUint(number, 10))
}
