// Package echo repeats, inside a mount, changes that the mounted tree has
// already undergone, so that the kernel raises the inotify events that a
// notice to it does not raise.
//
// The repeating is done by a helper process: a thread that waits for an answer
// of the process it belongs to could not be killed. The helper has a few lanes,
// each one a thread that does one request at a time and a socket to the daemon.
// The daemon's server knows the requests of these threads by their thread id.
//
// The helper works in a detached clone of the mount (open_tree(2)), so that it
// neither makes an unmount busy nor ever touches what lies under the
// mountpoint. It ends when its sockets are closed, when the mount has left the
// mount table, or when the daemon is dead.
package echo
