package fs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// in is the path of an entry in a transaction.
func in(txn, name string) string { return join(pathOfTransaction(txn), name) }

// begin begins a transaction.
func (m *mountedTest) begin(name string) {
	m.t.Helper()
	if err := os.Mkdir(m.path(pathOfTransaction(name)), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mountedTest) commit(name string) error {
	return os.Rename(m.path(pathOfTransaction(name)), m.path(pathOfTransaction(name+commitSuffix)))
}

func (m *mountedTest) set(name, content string) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// sh runs a script in a directory of the mount.
func (m *mountedTest) script(dir, script string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := inside(ctx, m.path(dir), "sh", "-ec", script).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s\n%s", script, err, out, m.read(".ovscfgfs/errors"))
	}
	return string(out)
}

// values are the keys of the store.
func (m *mountedTest) values() map[string]string {
	values := map[string]string{}
	for kv := range m.store.Tree().Under("/ovs") {
		values[kv.Key] = string(kv.Value)
	}
	return values
}

func (m *mountedTest) changes() int {
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	return m.store.commits
}

// problemsOf are the lines of .ovscfgfs/errors with an operation.
func (m *mountedTest) problemsOf(op string) []problem {
	m.t.Helper()
	var found []problem
	for line := range bytes.Lines([]byte(m.read(".ovscfgfs/errors"))) {
		var p problem
		if err := json.Unmarshal(line, &p); err != nil {
			m.t.Fatal(err)
		}
		if p.Op == op {
			found = append(found, p)
		}
	}
	return found
}

// All that is done with any tool in a transaction is one change of the store,
// and nothing of it is seen before.
func TestTransactionIsOneChange(t *testing.T) {
	m := mountTree(t, sample())
	before := m.script("", "find . -type f -exec md5sum {} + | sort")
	m.begin("t")
	if got := m.script(in("t", ""), "find . -type f -exec md5sum {} + | sort"); got != before {
		t.Errorf("a transaction begins as\n%s\nwant\n%s", got, before)
	}
	m.script(in("t", ""), `
		sed -i s/26203/26204/ vpools/p/hosts/h/config/port
		echo 'new name' > vpools/p/hosts/h/config/name
		rm plain
		mv arakoon/c arakoon/d
		mkdir -p fresh/dir
		echo 1 > fresh/dir/key
		printf '[a]\nb = 1\n' > fresh/dir/raw
		: > fresh/empty
		cp -a both copied
		echo '{"x": [1, 2]}' > whole.tmp
		cp whole.tmp doc
		echo '{"y": true}' > doc.json
		echo 9 > .scratch
		mv large large.bak
		mv text text~
		printf 'c\nd\n' > text
		grep -rq 'new name' .`)
	if got := m.script("", "find . -type f -exec md5sum {} + | sort"); got != before || m.changes() != 0 {
		t.Errorf("before the commit there were %d changes:\n%s", m.changes(), got)
	}
	inTxn := m.script(in("t", ""), "find . -type f -not -name '*.tmp' -not -name '*.bak' -not -name '.scratch' -not -name '*~' -exec md5sum {} + | sort")
	if err := m.commit("t"); err != nil {
		t.Fatalf("%v\n%s", err, m.read(".ovscfgfs/errors"))
	}
	if m.changes() != 1 {
		t.Errorf("%d changes of the store, want 1", m.changes())
	}
	if got := m.script("", "find . -type f -exec md5sum {} + | sort"); got != inTxn {
		t.Errorf("after the commit there is\n%s\nwant\n%s", got, inTxn)
	}
	if got := m.values()["/ovs/doc"]; got != `{"y": true}` {
		t.Errorf("doc is %q", got)
	}
	if got := m.values()["/ovs/text"]; got != "c\nd" {
		t.Errorf("text is %q", got)
	}
	for _, gone := range []string{pathOfTransaction("t"), pathOfTransaction("t.commit")} {
		if _, err := os.Lstat(m.path(gone)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s after the commit: %v", gone, err)
		}
	}
	if left := m.list(pathOfTransaction("")); len(left) != 0 {
		t.Errorf("transactions after the commit: %q", left)
	}
}

func TestTransactionDropped(t *testing.T) {
	for _, how := range []string{"rmdir .ovscfgfs/txn/t", "rm -r .ovscfgfs/txn/t"} {
		t.Run(strings.Fields(how)[0], func(t *testing.T) {
			m := mountTree(t, sample())
			m.begin("t")
			m.set(in("t", "plain"), "6\n")
			m.set(in("t", ".scratch"), "x")
			m.script("", how)
			if m.changes() != 0 || m.read("plain") != "5\n" {
				t.Errorf("%d changes, plain is %q", m.changes(), m.read("plain"))
			}
			if _, err := os.Lstat(m.path(pathOfTransaction("t"))); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
			// What it has kept on the disk goes with it.
			await(t, "no scratch files of it", func() bool {
				left, _ := filepath.Glob(filepath.Join(m.s.opt.StateDir, "transactions", "*"))
				return len(left) == 0
			})
			m.begin("t")
			if got := m.read(in("t", "plain")); got != "5\n" {
				t.Errorf("a new one of the name begins with %q", got)
			}
		})
	}
}

// Fields that others changed meanwhile are merged; the same field is a
// conflict, of which nothing is lost.
func TestTransactionMeetsOthers(t *testing.T) {
	const config = "vpools/p/hosts/h/config/"
	m := mountTree(t, sample())
	m.begin("merged")
	m.begin("refused")
	m.set(in("merged", config+"port"), "1\n")
	m.set(in("refused", config+"port"), "2\n")
	m.set(in("refused", config+"password"), "mine\n")
	m.set(in("refused", "plain"), "7\n")
	m.set(config+"name", "theirs\n")
	m.set(config+"password", "theirs\n")
	if err := m.commit("merged"); err != nil {
		t.Fatal(err)
	}
	if got, want := m.read(config+"port")+m.read(config+"name"), "1\ntheirs\n"; got != want {
		t.Errorf("merged to %q, want %q", got, want)
	}
	commits := m.changes()
	if err := m.commit("refused"); !errors.Is(err, syscall.EBUSY) {
		t.Fatalf("the commit of a conflict: %v, want EBUSY", err)
	}
	if m.changes() != commits || m.read("plain") != "5\n" {
		t.Errorf("%d changes after %d, plain is %q", m.changes(), commits, m.read("plain"))
	}
	conflicts := m.problemsOf("conflict")
	var told []string
	for _, p := range conflicts {
		told = append(told, p.Transaction+" "+p.Path+": "+p.Error)
	}
	want := []string{
		"refused " + config + "port: was 26203, is 2 in the transaction and 1 outside by now",
		"refused " + config + `password: was (secret), is (secret) in the transaction and (secret) outside by now`,
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if why := m.problemsOf("rename"); len(why) != 1 || !strings.Contains(why[0].Error, "give what conflicts the value that it has outside") {
		t.Errorf("the words are %+v", why)
	}
	// It goes on as the words say.
	m.set(in("refused", config+"port"), "1\n")
	m.set(in("refused", config+"password"), "theirs\n")
	if err := m.commit("refused"); err != nil {
		t.Fatal(err)
	}
	if got := m.read(config+"port") + m.read("plain"); got != "1\n7\n" {
		t.Errorf("after going on: %q", got)
	}
}

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

// diff, tar and cp take files of one inode number for one file.
func TestTransactionHasNumbersOfItsOwn(t *testing.T) {
	m := mountTree(t, sample())
	m.begin("t")
	m.begin("u")
	seen := map[uint64]string{}
	for _, path := range []string{"text", in("t", "text"), in("u", "text"), in("t", ""), in("u", ""), pathOfTransaction(""), ""} {
		fi, err := os.Stat(m.path(path))
		if err != nil {
			t.Fatal(err)
		}
		ino := fi.Sys().(*syscall.Stat_t).Ino
		if other, taken := seen[ino]; taken {
			t.Errorf("%q and %q have the inode number %d", path, other, ino)
		}
		seen[ino] = path
	}
}

// Transactions at once, of many writers: each counts.
func TestTransactionsAtOnce(t *testing.T) {
	const writers, rounds = 4, 8
	m := mountTree(t, map[string]string{"/ovs/doc": `{"a": 0, "b": 0, "c": 0, "d": 0}`})
	var all sync.WaitGroup
	for w := range writers {
		field := string(rune('a' + w))
		all.Go(func() {
			for r := range rounds {
				name := fmt.Sprintf("%s%d", field, r)
				path := m.path(in(name, "doc/"+field))
				err := os.Mkdir(m.path(pathOfTransaction(name)), 0o755)
				if err == nil {
					err = os.WriteFile(path, fmt.Appendf(nil, "%d\n", r+1), 0o644)
				}
				if err == nil {
					err = os.WriteFile(m.path(in(name, "seen/"+name)), []byte("1\n"), 0o644)
					if errors.Is(err, fs.ErrNotExist) {
						err = errors.Join(os.Mkdir(m.path(in(name, "seen")), 0o755), os.WriteFile(m.path(in(name, "seen/"+name)), []byte("1\n"), 0o644))
					}
				}
				if err == nil {
					err = m.commit(name)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got, want := m.values()["/ovs/doc"], `{"a": 8, "b": 8, "c": 8, "d": 8}`; got != want {
		t.Errorf("%s, want %s\n%s", got, want, m.read(".ovscfgfs/errors"))
	}
	if got := len(m.list("seen")); got != writers*rounds {
		t.Errorf("%d keys, want %d", got, writers*rounds)
	}
	if m.changes() != writers*rounds {
		t.Errorf("%d changes, want %d", m.changes(), writers*rounds)
	}
	await(t, "nothing kept of them", func() bool {
		m.s.transactions.mu.RLock()
		defer m.s.transactions.mu.RUnlock()
		return len(m.s.transactions.byNumber) == 0
	})
}

func TestNoTransactionsReadOnly(t *testing.T) {
	m := mountTree(t, sample(), readOnly)
	if _, err := os.Lstat(m.path(pathOfTransaction(""))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a read-only mount has them: %v", err)
	}
}
