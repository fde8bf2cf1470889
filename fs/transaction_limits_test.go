package fs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// An open file whose content may be half written is not committed.
func TestTransactionWithOpenFiles(t *testing.T) {
	m := mountTree(t, sample())
	m.begin("t")
	f, err := os.OpenFile(m.path(in("t", "text")), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("half\na li"); err != nil {
		t.Fatal(err)
	}
	if err := m.commit("t"); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("commit with a half written file: %v, want EBUSY", err)
	}
	if _, err := f.WriteString("ne\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	r, err := os.Open(m.path(in("t", "both/below")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := m.commit("t"); err != nil {
		t.Fatalf("%v\n%s", err, m.read(".ovscfgfs/errors"))
	}
	if got := m.read("text"); got != "half\na line\n" {
		t.Errorf("text is %q", got)
	}
	// Who still has it open reads on, and writes no more.
	b := make([]byte, 10)
	if n, err := r.ReadAt(b, 0); string(b[:n]) != "x\n" {
		t.Errorf("a file that was open reads %q, %v", b[:n], err)
	}
	_, err = f.WriteString("more\n")
	if err = errors.Join(err, f.Sync()); !errors.Is(err, syscall.ESTALE) {
		t.Errorf("writing after the commit: %v, want ESTALE", err)
	}
	if got := m.read("text"); got != "half\na line\n" {
		t.Errorf("text is %q", got)
	}
}

func TestTransactionRefusals(t *testing.T) {
	m := mountTree(t, sample())
	m.begin("t")
	m.begin("u")
	path := func(name string) string { return m.path(pathOfTransaction(name)) }
	for name, c := range map[string]struct {
		do    func() error
		want  syscall.Errno
		words string
	}{
		"nested":               {func() error { return os.Mkdir(path("t/.ovscfgfs"), 0o755) }, syscall.EPERM, "none is begun within another"},
		"nested below":         {func() error { return os.MkdirAll(path("t/.ovscfgfs/txn/x"), 0o755) }, syscall.EPERM, ""},
		"again":                {func() error { return os.Mkdir(path("t"), 0o755) }, syscall.EEXIST, ""},
		"a commit's name":      {func() error { return os.Mkdir(path("x.commit"), 0o755) }, syscall.EINVAL, "choose another"},
		"a long name":          {func() error { return os.Mkdir(path(strings.Repeat("n", 249)), 0o755) }, syscall.ENAMETOOLONG, "at most 248 bytes"},
		"a file":               {func() error { return os.WriteFile(path("f"), nil, 0o644) }, syscall.EPERM, ""},
		"another's commit":     {func() error { return os.Rename(path("t"), path("v.commit")) }, syscall.EINVAL, "t.commit"},
		"over another":         {func() error { return os.Rename(path("t"), path("u")) }, syscall.EEXIST, ""},
		"nothing":              {func() error { return os.Rename(path("v"), path("v.commit")) }, syscall.ENOENT, ""},
		"exchange":             {func() error { return unix.Renameat2(-1, path("t"), -1, path("u"), unix.RENAME_EXCHANGE) }, syscall.EINVAL, ""},
		"out of it":            {func() error { return os.Rename(path("t/plain"), m.path("moved")) }, syscall.EXDEV, ""},
		"into it":              {func() error { return os.Rename(m.path("plain"), path("t/moved")) }, syscall.EXDEV, ""},
		"one into the other":   {func() error { return os.Rename(path("u/plain"), path("t/moved")) }, syscall.EXDEV, ""},
		"the tree as one":      {func() error { return os.Rename(m.path("vpools"), path("vpools")) }, syscall.EPERM, "begun with mkdir"},
		"one as a part of it":  {func() error { return os.Rename(path("t"), m.path("t")) }, syscall.EXDEV, ""},
		"drop of nothing":      {func() error { return syscall.Rmdir(path("v")) }, syscall.ENOENT, ""},
		"a link across":        {func() error { return os.Link(m.path("plain"), path("t/link")) }, syscall.ENOTSUP, ""},
		"what does not fit":    {func() error { return os.WriteFile(path("t/plain"), []byte("x\n"), 0o644) }, syscall.EINVAL, "txn/t/plain"},
		"the directory itself": {func() error { return syscall.Rmdir(m.path(".ovscfgfs/txn")) }, syscall.EPERM, ""},
	} {
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if words := m.read(".ovscfgfs/errors"); !strings.Contains(words, c.words) {
			t.Errorf("%s: the words lack %q:\n%s", name, c.words, words)
		}
	}
	if got := m.list(pathOfTransaction("")); !slices.Equal(sorted(got), []string{"t", "u"}) {
		t.Errorf("transactions are %q", got)
	}
	if err := os.Rename(path("u"), path("v")); err != nil || m.read(in("v", "plain")) != "5\n" {
		t.Errorf("another name: %v", err)
	}
	// What the store refuses leaves it as it is.
	m.set(in("v", "plain"), "6\n")
	m.store.mu.Lock()
	m.store.refuse = mapping.Errorf(mapping.TooLarge, "", "too large")
	m.store.mu.Unlock()
	if err := m.commit("v"); !errors.Is(err, syscall.EFBIG) || m.read(in("v", "plain")) != "6\n" {
		t.Errorf("refused by the store: %v, want EFBIG", err)
	}
}

func sorted(list []string) []string { slices.Sort(list); return list }

func TestTransactionsAreBounded(t *testing.T) {
	m := mountTree(t, sample())
	for k := range maxTransactions {
		m.begin(fmt.Sprint("t", k))
	}
	if err := os.Mkdir(m.path(pathOfTransaction("more")), 0o755); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("one too many: %v, want ENOSPC", err)
	}
	if err := m.commit("t0"); err != nil {
		t.Error(err)
	}
	m.begin("more")
	if m.changes() != 0 {
		t.Errorf("an empty transaction made a change")
	}
}
