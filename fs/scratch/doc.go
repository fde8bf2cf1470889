// Package scratch keeps the files that live on one mount only and never reach
// etcd: editors' backups and swap files, temporary names, and directories that
// hold no key yet.
//
// A [Names] decides by its name whether a new file is scratch. A [Store] holds
// the files themselves, as ordinary files of the host under the daemon's state
// directory, so that they have full POSIX behaviour and survive a restart.
//
// Paths are shown paths below the mountpoint, without a leading slash. The
// store mirrors the directories on the way to a file; such a mirror directory
// is not an entry of its own. Only directories made with [Store.Mkdir] are.
//
// The errors are those of the host's file system and wrap a syscall.Errno;
// the one of its own is ENOSPC when the size limit is reached.
package scratch
