package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// echoesPerRun are the writes that one run stands for: a commit waits for the
// disk, whose moods a handful would show.
const echoesPerRun = 40

// measureEcho times a small write on a writable mount of the whole tree beside
// a bare put of the same bytes, each from a program and from a shell.
func measureEcho(ctx context.Context, l *lab) error {
	t := l.keyTree()
	const document, field = "/bench/keys/document", "document/port"
	if err := l.inEtcd(ctx, t); err != nil {
		return err
	}
	if _, err := l.client.Put(ctx, document, smallDocument(0)); err != nil {
		return err
	}
	defer func() { _, _ = l.client.Delete(ctx, document) }() // the other experiments count keys
	return l.mounted(ctx, t.prefix, false, func(m *mount) error {
		sh, err := startShell()
		if err != nil {
			return err
		}
		defer sh.close()
		n := 0
		next := func() int { n++; return n }
		leaf := filepath.Join(m.dir, t.path(t.leaves/2))
		put := func(value func(int) string) func() (float64, error) {
			return func() (float64, error) {
				return stopwatch(func() error { _, err := l.client.Put(ctx, "/bare/leaf", value(next())); return err })
			}
		}
		cases := []struct {
			name  string
			value func(int) string // what the bare put stores
			write func() error
		}{
			{"open-write-close of a key", t.value, func() error { return writeLeaf(leaf, t.content(next())) }},
			{"echo in sh to a key", t.value, func() error { return sh.echo(strings.TrimSpace(t.content(next())), leaf) }},
			{"echo in sh to a field", smallDocument, func() error { return sh.echo(fmt.Sprint(next()), filepath.Join(m.dir, field)) }},
		}
		for _, c := range cases {
			row := l.report.row("echo", c.name, seconds, within(onRW, 1.5, onEtcd), within(onRW, 2, onEtcd))
			write := func() (float64, error) { return stopwatch(c.write) }
			if _, err := write(); err != nil {
				return err
			}
			if err := l.interleave(ctx, row, echoesPerRun*l.runs, variant{onEtcd, put(c.value)}, variant{onRW, write}); err != nil {
				return err
			}
			revisions := l.report.row("echo", c.name+", revisions", count, below(onRW, 1))
			if err := l.interleave(ctx, revisions, 1, variant{onRW, func() (float64, error) { return l.revisionsOf(ctx, c.write) }}); err != nil {
				return err
			}
		}
		return l.measureCommands(ctx, t, leaf, next)
	})
}

// measureCommands times what an admin types, each time a process of its own.
func (l *lab) measureCommands(ctx context.Context, t tree, leaf string, next func() int) error {
	row := l.report.row("echo", "a process each: sh -c 'echo v > key'", seconds)
	return l.interleave(ctx, row, 4*l.runs,
		variant{onCtl, func() (float64, error) { return l.etcdctl(ctx, "put", "/bare/leaf", t.value(next())) }},
		variant{onRW, func() (float64, error) {
			return stopwatch(exec.CommandContext(ctx, "sh", "-c", `echo "$1" > "$2"`, "sh", strings.TrimSpace(t.content(next())), leaf).Run)
		}})
}

// revisionsOf is by how many revisions the store grows for each of ten calls of f.
func (l *lab) revisionsOf(ctx context.Context, f func() error) (float64, error) {
	const times = 10
	before, err := l.client.Get(ctx, "/bare/leaf")
	if err != nil {
		return 0, err
	}
	for range times {
		if err := f(); err != nil {
			return 0, err
		}
	}
	after, err := l.client.Get(ctx, "/bare/leaf")
	if err != nil {
		return 0, err
	}
	return float64(after.Header.Revision-before.Header.Revision) / times, nil
}

// smallDocument is a document of an ordinary size with one number in it.
func smallDocument(port int) string {
	return fmt.Sprintf(`{"name": "proxy", "ips": ["10.0.0.1", "10.0.0.2"], "port": %d, "log_level": "info", "cluster": {"id": "abc", "nodes": 3}}`, port)
}

// writeLeaf is what a shell's redirection does, as system calls and nothing else.
func writeLeaf(path, content string) error {
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_TRUNC|syscall.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	_, err = syscall.Write(fd, []byte(content))
	closeErr := syscall.Close(fd)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if closeErr != nil {
		return fmt.Errorf("close %s: %w", path, closeErr)
	}
	return nil
}

// A shell is a running sh that takes one command at a time, so that its start
// is not in the figures.
type shell struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startShell() (*shell, error) {
	cmd := exec.Command("sh")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &shell{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

// echo runs echo text > path, and returns when the shell says how it went.
func (s *shell) echo(text, path string) error {
	if _, err := fmt.Fprintf(s.in, "echo '%s' > '%s'; echo $?\n", text, path); err != nil {
		return err
	}
	status, err := s.out.ReadString('\n')
	if err != nil {
		return err
	}
	if status != "0\n" {
		return fmt.Errorf("echo %s > %s: exit status %s", text, path, strings.TrimSpace(status))
	}
	return nil
}

func (s *shell) close() {
	_ = s.in.Close()
	_ = s.cmd.Wait()
}
