// Package fs shows a [mapping.Tree] as a mounted filesystem and turns file
// operations into [mapping.Edit]s that a [Store] commits.
//
// # What the kernel holds, and how it is kept true
//
// Entries (also absent ones), attributes, pages and listings of the tree are
// cached by the kernel without time limit. Four rules keep that true:
//
//  1. Whatever an answer lets the kernel keep is noted before the answer is
//     computed to its end: the content whose size was told (inode.told), the
//     names that were said to be absent (directory.absent), the inodes it has
//     a reference on (inode.lookups). An answer that was computed from a tree
//     that is no longer the newest is computed again or looked at again by the
//     worker.
//  2. After a new tree is published the worker compares what was noted with
//     that tree, and sends a notice for each difference (notice.go).
//  3. Between the publication and the notice the old content goes on being
//     answered, with attributes that may not be kept. So the size that the
//     kernel has and the pages that it has belong together, and a reader gets
//     one content or the other. A reader that has just opened the leaf is given
//     time (grace) before the notice; who opens it meanwhile reads the new
//     content past the page cache. With the notice the kernel is given the new
//     content of a watched leaf, of which it has nothing then (notices.move).
//  4. Answers about one name may reach the kernel in another order than they were
//     given: those of READDIRPLUS and of LOOKUP are not in order with each
//     other. A name that is answered with another inode than before, or with none, is
//     dropped once more (notices.replace). A notice for a name waits for the answers
//     that are under way in its directory, so that the last word is the newest.
//
// Views, scratch files, pending files and control files are told with zero
// timeouts and read past the page cache: they need no notice.
//
// # Changes made here
//
// A request that adds, removes or renames names claims them (table.claim) from
// before its commit until the table shows the result, so that the worker does
// not take its own change for a foreign one. Who asks between the two for what is claimed, and
// would find that the table does not fit the tree, waits for the release (table.underway): who holds a claim waits
// only for etcd. A request that committed a content
// says so (server.wrote): the kernel's size is then that of the write. Who opened the
// leaf with O_TRUNC spares that notice if the kernel has asked for nothing since (inode.emptied).
//
// # Transactions
//
// Each open transaction (.ovscfgfs/txn/NAME) is a server of its own on the
// same connection, with a Store in memory (private) and all else that a mount has: table, layer,
// notices. The upper bits of the number that the kernel knows an inode by say
// whose it is (numberShift), and router gives each request to that server. So
// nothing in the operations knows of transactions. One that has ended is kept until the
// kernel has forgotten its last inode.
//
// # What does not hold
//
// On a read-only mount the kernel opens files by itself, and the daemon does
// not know of readers. One read(2) of a leaf of one page never mixes two
// revisions there, but one that runs into the change may get a content at the
// length of the other (cut, or with zeros behind it), and a reader that needs
// several calls may get the rest from the next revision. A writable mount has
// neither, for who is done within grace of the open.
//
// # Deadlocks
//
// The kernel holds a directory's lock during LOOKUP, CREATE, UNLINK, RENAME and
// READDIR, a page's lock during READ, and takes both in order to carry out a
// notice. So a notice is never sent from a request, never waited for by one
// that holds such a lock, and never sent with a lock of this package held.
// Requests and Published only put work into a queue; one goroutine does it.
// (Reading .ovscfgfs/barrier waits for that goroutine: it holds neither lock.)
//
// # Locks
//
// In this order: table.mu, inode.mu, notices.mu. None is held across a call of
// the Store or a write to the kernel. private.mu and transactions.mu come
// before these; private.mu is held across a call of the Store, that of the mount. So is
// work.mu, which comes before all of them.
//
// Before any of these a request that stores something shares the path that it stores to, and a rename takes
// its two paths alone (pathLocks). Each does so once, at its beginning, and lets go before
// it waits for a notice: the kernel may hold the lock of a directory for a rename that waits.
package fs
