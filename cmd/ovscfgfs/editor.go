package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// editorFile is the file that an editor is given: in a directory of its own that no one else may enter, since
// the text may hold secrets, and editors put copies beside it.
type editorFile struct {
	name string
}

func newEditorFile(text []byte, suffix string) (*editorFile, error) {
	dir, err := os.MkdirTemp("", "ovscfgfs-edit-") // 0700
	if err != nil {
		return nil, failf(exitInput, "there is no place for the text (TMPDIR): %w", err)
	}
	f := &editorFile{name: filepath.Join(dir, "text"+suffix)}
	if err := os.WriteFile(f.name, text, 0o600); err != nil {
		_ = f.remove()
		return nil, failf(exitInput, "the text cannot be written: %w", err)
	}
	return f, nil
}

func (f *editorFile) remove() error { return os.RemoveAll(filepath.Dir(f.name)) }

// edit runs the editor and returns the text, as far as there is one, also with an error.
func (f *editorFile) edit(c *cli.Context) ([]byte, error) {
	editor, err := editorCommand()
	if err != nil {
		text, _ := os.ReadFile(f.name)
		return text, err
	}
	// As git does, so that EDITOR="code --wait" works.
	cmd := exec.Command("sh", "-c", editor+` "$@"`, editor, f.name)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.App.Reader, c.App.Writer, c.App.ErrWriter
	// Ctrl-C is the editor's. The other signals end it, and this with it; the text stays.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		text, _ := os.ReadFile(f.name)
		return text, failf(exitInput, "the editor cannot be started: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var end os.Signal
	for waiting := true; waiting; {
		select {
		case err = <-ended:
			waiting = false
		case s := <-signals:
			if s == syscall.SIGTERM || s == syscall.SIGHUP {
				end = s
				_ = cmd.Process.Signal(s)
			}
		}
	}
	text, readErr := os.ReadFile(f.name)
	switch {
	case end != nil:
		return text, failf(exitFailure, "ended by a signal (%v)", end)
	case err != nil:
		return text, failf(exitFailure, "the editor %q failed: %w", editor, err)
	case readErr != nil:
		return nil, failf(exitInput, "the editor left no text: %w", readErr)
	}
	return text, nil
}

// editorCommand is the editor that the user has chosen, or one that there is.
func editorCommand() (string, error) {
	for _, variable := range []string{"VISUAL", "EDITOR"} {
		if editor := os.Getenv(variable); strings.TrimSpace(editor) != "" {
			return editor, nil
		}
	}
	for _, editor := range []string{"editor", "vi", "nano"} {
		if _, err := exec.LookPath(editor); err == nil {
			return editor, nil
		}
	}
	return "", failf(exitUsage, "there is no editor: set EDITOR, such as EDITOR=vi")
}

// again asks whether to edit again. Without a terminal nobody can be asked, and Ctrl-C says no.
func again(c *cli.Context) bool {
	input, ok := c.App.Reader.(*os.File)
	if !ok || !isTerminal(input) {
		return false
	}
	_, _ = fmt.Fprint(c.App.ErrWriter, "Edit again? [Y/n] ")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	answers := make(chan string, 1)
	go func() { // ends with the process at the latest: a read of a terminal cannot be taken back
		line, err := bufio.NewReader(input).ReadString('\n')
		if err != nil && line == "" {
			line = "n"
		}
		answers <- line
	}()
	select {
	case <-signals:
		_, _ = fmt.Fprintln(c.App.ErrWriter)
		return false
	case line := <-answers:
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "" || line == "y" || line == "yes"
	}
}

func isTerminal(file *os.File) bool {
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
