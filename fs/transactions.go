package fs

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

const (
	// controlTransactions is the directory in .ovscfgfs in which transactions are
	// begun (mkdir), dropped (rmdir) and committed (rename).
	controlTransactions = "txn"
	// commitSuffix is added to the name of a transaction to commit it.
	commitSuffix = ".commit"
	// reloadSuffix does the same, and asks the services whose configuration was
	// changed to read it, in the same change.
	reloadSuffix = ".reload"
	// maxTransactions is how many may be open at once: each keeps an old tree alive.
	maxTransactions = 64
	// maxConflicts is how many conflicts of one commit .ovscfgfs/errors tells.
	maxConflicts = 200
)

// transactions are those of one mount. Safe for concurrent use.
type transactions struct {
	s     *server
	ended sync.WaitGroup // what is being done about those that have ended

	// mu is taken before the locks of the tables, and after those of the works.
	mu       sync.RWMutex
	last     uint64
	byNumber map[uint64]*transaction // also those that have ended, while the kernel knows of them
}

func newTransactions(s *server) *transactions {
	return &transactions{s: s, byNumber: map[uint64]*transaction{}}
}

func pathOfTransaction(name string) string {
	return controlName + "/" + controlTransactions + "/" + name
}

// isTransactions reports whether i is the directory .ovscfgfs/txn.
func (s *server) isTransactions(i *inode) bool {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	return i.kind == kindControl && i.dir != nil && i.name == controlTransactions
}

// serverOf returns the server of an inode of a transaction, nil if it is forgotten.
func (ts *transactions) serverOf(id uint64) *server {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	if t := ts.byNumber[id>>numberShift]; t != nil {
		return t.inner
	}
	return nil
}

func (ts *transactions) nameOf(t *transaction) string {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return t.name
}

// calledLast is nameOf, and of a transaction that has ended the name that it had.
func (ts *transactions) calledLast(t *transaction) string {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return cmp.Or(t.name, t.had)
}

// endLocked takes the name of a transaction that has ended.
func (t *transaction) endLocked() { t.had, t.name = t.name, "" }

// clear removes what the transactions of a daemon that was killed have left.
func (ts *transactions) clear() error { return os.RemoveAll(filepath.Dir(ts.directoryOf(0))) }

// namedLocked returns the open transaction of a name, or nil.
func (ts *transactions) namedLocked(name string) *transaction {
	for _, t := range ts.byNumber {
		if t.name == name && name != "" {
			return t
		}
	}
	return nil
}

// list returns the open transactions as entries of .ovscfgfs/txn.
func (ts *transactions) list() []listed {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	var list []listed
	for _, t := range ts.byNumber {
		if t.name != "" {
			list = append(list, listed{cookie: cookieOf(t.name), name: t.name, mode: fuse.S_IFDIR})
		}
	}
	slices.SortFunc(list, func(a, b listed) int { return cmp.Compare(a.cookie, b.cookie) })
	return list
}

// notices are the queues of all.
func (ts *transactions) notices() (all []*notices) {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	for _, t := range ts.byNumber {
		all = append(all, t.inner.notices)
	}
	return all
}

// count is how many are open.
func (ts *transactions) count() int { return len(ts.list()) }

// lookup answers for a name in .ovscfgfs/txn.
func (ts *transactions) lookup(name string, out *fuse.EntryOut) fuse.Status {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.namedLocked(name); t != nil {
		return t.answer(out)
	}
	return fuse.ENOENT
}

// mkdir begins a transaction.
func (ts *transactions) mkdir(name string, out *fuse.EntryOut) fuse.Status {
	t, err := ts.begin(name)
	if err != nil {
		return ts.s.fail("mkdir", pathOfTransaction(name), err)
	}
	return t.answer(out)
}

func (ts *transactions) begin(name string) (*transaction, error) {
	switch {
	case len(name) > nameMax-len(commitSuffix):
		return nil, mapping.Errorf(mapping.NameTooLong, "", "a transaction's name has at most %d bytes", nameMax-len(commitSuffix))
	case endsOne(name):
		return nil, mapping.Errorf(mapping.Invalid, "", "a name that ends in %s or %s means the commit of a transaction: choose another", commitSuffix, reloadSuffix)
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	open := 0
	for _, t := range ts.byNumber {
		if t.name != "" {
			open++
		}
	}
	switch {
	case ts.namedLocked(name) != nil:
		return nil, mapping.Errorf(mapping.Exists, "", "there is such a transaction already: commit or drop (rmdir) it, or choose another name")
	case open >= maxTransactions:
		return nil, mapping.Errorf(mapping.NoSpace, "", "%d transactions are open already: commit or drop (rmdir) some", open)
	}
	ts.last++
	t, err := newTransaction(ts.s, ts.last, name, ts.directoryOf(ts.last))
	if err != nil {
		return nil, err
	}
	ts.byNumber[t.number] = t
	return t, nil
}

// rmdir drops a transaction, whatever is in it.
func (ts *transactions) rmdir(name string) fuse.Status {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.namedLocked(name)
	if t == nil {
		return fuse.ENOENT
	}
	t.store.end("was dropped")
	t.endLocked()
	ts.releaseLocked(t)
	return fuse.OK
}

// rename commits a transaction or gives it another name. dir is the number of
// the directory .ovscfgfs/txn.
func (ts *transactions) rename(dir uint64, from, to string, flags uint32) fuse.Status {
	ts.mu.Lock()
	t, other := ts.namedLocked(from), ts.namedLocked(to)
	var err error
	commit := false
	switch {
	case t == nil:
		err = syscall.ENOENT
	case flags&^unix.RENAME_NOREPLACE != 0:
		err = mapping.Errorf(mapping.Invalid, "", "transactions are not exchanged: rename one after the other")
	case t == other:
	case other != nil:
		err = mapping.Errorf(mapping.Exists, "", "there is a transaction %s already: commit or drop (rmdir) it first", to)
	case to == from+commitSuffix, to == from+reloadSuffix:
		commit = true
	case endsOne(to):
		err = mapping.Errorf(mapping.Invalid, "", "a transaction is committed by renaming it to its own name with %s or %s: %s", commitSuffix, reloadSuffix, from+commitSuffix)
	case len(to) > nameMax-len(commitSuffix):
		err = mapping.Errorf(mapping.NameTooLong, "", "a transaction's name has at most %d bytes", nameMax-len(commitSuffix))
	default:
		t.name = to
	}
	ts.mu.Unlock()
	if commit {
		if err = ts.commit(t, to == from+reloadSuffix); err == nil {
			// The kernel believes that it has the new name, and would keep it with all its
			// inodes. The notice waits for the end of this rename.
			ts.ended.Go(func() { ts.s.notices.kernel.EntryNotify(dir, to) })
		}
	}
	return ts.s.fail("rename", pathOfTransaction(from), err)
}

// commit ends t with a commit; if that is refused, it goes on. (The kernel has the
// directory locked: there is one at a time.)
func (ts *transactions) commit(t *transaction, reload bool) error {
	err := t.commit(reload)
	var conflicts mapping.Conflicts
	if errors.As(err, &conflicts) {
		for _, c := range conflicts[:min(len(conflicts), maxConflicts)] {
			ts.s.problems.tell(problem{Op: "conflict", Path: c.Path, Errno: "EBUSY", Error: c.String(), Transaction: ts.nameOf(t)})
		}
	}
	if err != nil {
		return err
	}
	ts.mu.Lock()
	t.endLocked()
	ts.releaseLocked(t)
	ts.mu.Unlock()
	ts.s.awaitNotices()
	return nil
}

// endsOne reports whether a name has the suffix of a commit.
func endsOne(name string) bool {
	return strings.HasSuffix(name, commitSuffix) || strings.HasSuffix(name, reloadSuffix)
}

// forgot looks whether a transaction that has ended is needed any more. It does not wait.
func (ts *transactions) forgot(id uint64) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t := ts.byNumber[id>>numberShift]; t != nil {
		ts.releaseLocked(t)
	}
}

// releaseLocked closes a transaction that has ended and that the kernel has forgotten.
func (ts *transactions) releaseLocked(t *transaction) {
	if t.name != "" || !t.forgotten() {
		return
	}
	delete(ts.byNumber, t.number)
	ts.ended.Go(t.close)
}

// close ends all transactions, after the mount.
func (ts *transactions) close() {
	ts.mu.Lock()
	for _, t := range ts.byNumber {
		t.name = ""
		ts.ended.Go(t.close)
	}
	clear(ts.byNumber)
	ts.mu.Unlock()
	ts.ended.Wait()
}
