package fs

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal runs a program on a terminal of its own. When the program has
// written each of the prompts, it is sent the keys that go with it.
func (m *mountedTest) terminal(steps [][2]string, program string, args ...string) {
	m.t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	defer master.Close()
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		m.t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	defer slave.Close()
	cmd := inside(m.t.Context(), m.dir, program, args...)
	cmd.Env = append(os.Environ(), "TERM=xterm", "LC_ALL=C.UTF-8", "HOME="+m.t.TempDir())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		m.t.Fatalf("%s (.ci/run installs what the tests need): %v", program, err)
	}
	slave.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		var seen bytes.Buffer
		buf := make([]byte, 4096)
		for {
			for len(steps) > 0 && bytes.Contains(seen.Bytes(), []byte(steps[0][0])) {
				seen.Reset()
				if _, err := io.WriteString(master, steps[0][1]); err != nil {
					return
				}
				steps = steps[1:]
			}
			n, err := master.Read(buf)
			if err != nil {
				return // EIO: the program has ended
			}
			seen.Write(buf[:n])
		}
	}()
	err = cmd.Wait()
	<-done
	if err != nil || len(steps) > 0 {
		m.t.Fatalf("%s: %v; it never asked %q", program, err, steps)
	}
}

func TestNano(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/c": config})
	n := m.commits(func() {
		m.terminal([][2]string{{"Read 1 line", "\x0b9090\x0f"}, {"Write", "\r"}, {"Wrote", "\x18"}}, "nano", "-I", "c/port")
	})
	m.want("/ovs/c", with("8080", "9090"))
	if n != 1 {
		t.Errorf("%d commits, want 1", n)
	}
}
