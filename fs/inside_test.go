package fs

import (
	"context"
	"os/exec"
)

// inside makes a command that runs in a directory of a mount of this process.
// exec.Cmd's own Dir would hang now and then: the child of the vfork asks the
// mount for the directory while the thread that serves it may be stopped for
// the garbage collector, which waits for the end of that very vfork.
func inside(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "env", append([]string{"-C", dir, program}, args...)...)
}
