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

// The barrier waits until the kernel was told of what a change in a transaction
// has done to other names.
func TestBarrierWaitsForTransactions(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/d": `{"n": 1}`, "/ovs/k": "1"})
	m.begin("t")
	for range 100 {
		m.wantErr("view", os.WriteFile(m.path(".ovscfgfs/txn/t/d.json"), []byte("{\"a\": {\"b\": 1}}\n"), 0), nil)
		if _, err := os.Lstat(m.path(".ovscfgfs/txn/t/d/a/b")); err != nil {
			t.Fatal(err)
		}
		m.wantErr("removal", os.Remove(m.path(".ovscfgfs/txn/t/d/a.json")), nil)
		m.read(".ovscfgfs/barrier")
		if _, err := os.Lstat(m.path(".ovscfgfs/txn/t/d/a")); !os.IsNotExist(err) {
			t.Fatalf("it is still there: %v", err)
		}
	}
}
