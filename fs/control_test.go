package fs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/openvstorage/ovscfgfs/mapping"
)

func TestControlFiles(t *testing.T) {
	for name, option := range map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			m := mountTree(t, map[string]string{"/ovs/a": "1"}, option, func(o *Options) {
				o.Status = func() any { calls++; return map[string]int{"revision": calls} }
				o.Config = map[string]string{"prefix": "/ovs"}
			})
			if got := m.list(""); strings.Join(got, " ") != "a" {
				t.Errorf("the root lists %q", got)
			}
			if got := m.read(".ovscfgfs/config"); got != "{\n  \"prefix\": \"/ovs\"\n}\n" {
				t.Errorf("config is %q", got)
			}
			var last int
			for range 3 {
				var status struct{ Revision int }
				if err := json.Unmarshal([]byte(m.read(".ovscfgfs/status")), &status); err != nil || status.Revision <= last {
					t.Errorf("status is %+v after %d, %v", status, last, err)
				}
				last = status.Revision
				m.settle()
			}
			for k := range 3 {
				m.store.put(map[string]string{"/ovs/a": fmt.Sprint(k + 10)})
				if got, want := m.read(".ovscfgfs/barrier"), fmt.Sprintf("%d\n", m.store.Tree().Revision()); got != want {
					t.Errorf("barrier is %q, want %q", got, want)
				}
				if got, want := m.read("a"), fmt.Sprintf("%d\n", k+10); got != want {
					t.Errorf("after the barrier a is %q, want %q", got, want)
				}
			}
			if got := m.read(".ovscfgfs/metrics"); !strings.Contains(got, "\novscfgfs_keys 1\n") {
				t.Errorf("metrics are %q", got)
			}
			if _, err := os.Stat(m.path(".ovscfgfs/other")); !os.IsNotExist(err) {
				t.Errorf("another name there: %v", err)
			}
		})
	}
}

func TestErrorsAreKeptInWords(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	if st := m.s.fail("write", "a", mapping.Errorf(mapping.Invalid, "a", "%q is not a number", "x")); syscall.Errno(st) != syscall.EINVAL {
		t.Errorf("the errno is %v", st)
	}
	want := `"op":"write","path":"a","errno":"EINVAL","error":"\"x\" is not a number"}` + "\n"
	if got := m.read(".ovscfgfs/errors"); !strings.HasSuffix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("errors are %q, want one line that ends %q", got, want)
	}
	if got, err := m.xattr("a", "user.ovscfgfs.error"); err != nil || got != `"x" is not a number` {
		t.Errorf("the attribute is %q, %v", got, err)
	}
}

func TestProblemsKeepTheLast(t *testing.T) {
	p := newProblems()
	for k := range maxProblems + 500 {
		p.add("write", fmt.Sprintf("f%d", k), syscall.EIO, errors.New("no"))
	}
	lines := strings.Split(strings.TrimSpace(string(p.lines())), "\n")
	if len(lines) != maxProblems || !strings.Contains(lines[0], `"f500"`) || !strings.Contains(lines[len(lines)-1], `"f1499"`) {
		t.Errorf("%d lines from %s to %s", len(lines), lines[0], lines[len(lines)-1])
	}
	if p.of("f499") != "" || p.of("f500") != "no" || len(p.last) != maxProblems {
		t.Errorf("the last reasons are those of %d paths", len(p.last))
	}
	if p.count() != maxProblems+500 {
		t.Errorf("%d were counted", p.count())
	}
}

func TestEachKindHasAnErrno(t *testing.T) {
	for kind := mapping.Other; kind <= mapping.Canceled; kind++ {
		if int(kind) >= len(errnos) || errnos[kind] == 0 {
			t.Errorf("%v has no errno", kind)
		}
	}
	if got := errnoOf(fmt.Errorf("around it: %w", mapping.Errorf(mapping.Stale, "", "old"))); got != syscall.ESTALE {
		t.Errorf("a wrapped error is %v", got)
	}
	if got := errnoOf(errors.New("strange")); got != syscall.EIO {
		t.Errorf("an unknown error is %v", got)
	}
	if got := errnoOf(&os.PathError{Err: syscall.ENOSPC}); got != syscall.ENOSPC {
		t.Errorf("the disk's error is %v", got)
	}
}
