// Package locks tests flock(2) and fcntl(2) across two mounts, with the real
// program, a real etcd and processes of their own.
package locks

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// roleEnv makes the test binary one of the processes that lock.
const roleEnv = "OVSCFGFS_TEST_LOCKER"

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := act(role, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, role, err)
		os.Exit(1)
	}
}

// act is what a process does.
func act(role string, args []string) error {
	switch role {
	case "count": // FILE ROUNDS HOW
		rounds, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		for range rounds {
			if err := count(args[0], args[2]); err != nil {
				return err
			}
		}
		return nil
	case "hold": // FILE, and obeys what it is told: each line of the input is answered by one
		return hold(args[0])
	}
	return fmt.Errorf("what is %s?", role)
}

// count adds one to the number in a file, under a lock on it.
func count(path, how string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if how == "flock" {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
	} else {
		err = unix.FcntlFlock(f.Fd(), unix.F_SETLKW, &unix.Flock_t{Type: unix.F_WRLCK, Len: 4})
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(fmt.Sprintln(n+1)), 0); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func hold(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		number := func(i int) int64 {
			n, _ := strconv.ParseInt(words[i], 10, 64)
			return n
		}
		sort := map[string]int16{"r": unix.F_RDLCK, "w": unix.F_WRLCK, "u": unix.F_UNLCK}
		answer := "ok"
		switch words[0] {
		case "flock": // HOW
			err = unix.Flock(int(f.Fd()), map[string]int{"ex": unix.LOCK_EX, "sh": unix.LOCK_SH, "un": unix.LOCK_UN,
				"exnb": unix.LOCK_EX | unix.LOCK_NB, "shnb": unix.LOCK_SH | unix.LOCK_NB}[words[1]])
		case "lock", "wait", "ofd": // SORT START LENGTH
			command := map[string]int{"lock": unix.F_SETLK, "wait": unix.F_SETLKW, "ofd": unix.F_OFD_SETLK}[words[0]]
			err = unix.FcntlFlock(f.Fd(), command, &unix.Flock_t{Type: sort[words[1]], Start: number(2), Len: number(3)})
		case "who": // SORT START LENGTH
			l := unix.Flock_t{Type: sort[words[1]], Start: number(2), Len: number(3)}
			if err = unix.FcntlFlock(f.Fd(), unix.F_GETLK, &l); err == nil {
				answer = fmt.Sprintf("%d %d %d %d", l.Type, l.Start, l.Len, l.Pid)
			}
		case "open": // closes and opens anew
			f.Close()
			f, err = os.OpenFile(path, os.O_RDWR, 0)
		case "twice": // opens it once more and closes that
			var g *os.File
			if g, err = os.OpenFile(path, os.O_RDWR, 0); err == nil {
				g.Close()
			}
		case "read":
			var text []byte
			if _, err = f.Seek(0, io.SeekStart); err == nil {
				text, err = io.ReadAll(f)
				answer = strings.TrimSpace(string(text))
			}
		case "write": // TEXT
			_, err = f.WriteAt([]byte(words[1]+"\n"), 0)
		case "pwrite": // TEXT, and no newline: it is not stored before the close
			_, err = f.WriteAt([]byte(words[1]), 0)
		}
		if err != nil {
			answer = "error"
			var errno syscall.Errno
			if e, ok := err.(*os.PathError); ok {
				errno, _ = e.Err.(syscall.Errno)
			} else {
				errno, _ = err.(syscall.Errno)
			}
			if errno != 0 {
				answer = unix.ErrnoName(errno)
			}
			err = nil
		}
		fmt.Println(answer)
	}
	return nil
}

// holder is a process that locks as it is told.
type holder struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func newHolder(t *testing.T, path string) *holder {
	t.Helper()
	h := &holder{t: t, cmd: role("hold", path)}
	var err error
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.out = bufio.NewScanner(out)
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.end)
	return h
}

// end ends it at once.
func (h *holder) end() {
	if h.cmd.ProcessState == nil {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
	}
}

func (h *holder) tell(command string) {
	h.t.Helper()
	if _, err := fmt.Fprintln(h.in, command); err != nil {
		h.t.Fatal(err)
	}
}

func (h *holder) answer() string {
	h.t.Helper()
	if !h.out.Scan() {
		h.t.Fatalf("no answer: %v", h.out.Err())
	}
	return h.out.Text()
}

// does tells it and wants an answer.
func (h *holder) does(command, want string) {
	h.t.Helper()
	h.tell(command)
	if got := h.answer(); got != want {
		h.t.Fatalf("%s: %s, want %s", command, got, want)
	}
}

func role(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+name)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}
