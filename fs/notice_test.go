package fs

import (
	"os"
	"slices"
	"testing"
)

// Each step is seen after it was published, though the kernel has been asked
// for all of it before and keeps what it was told.
func TestChangesAreSeen(t *testing.T) {
	type step struct {
		name    string
		put     map[string]string
		del     []string
		reads   map[string]string // path -> content
		absent  []string
		listing map[string][]string
	}
	steps := []step{
		{
			name:    "as mounted",
			reads:   map[string]string{"a/x": "1\n", "doc/port": "80\n", "doc/in/k": "v\n", "doc.json": `{"port": 80, "in": {"k": "v"}}` + "\n"},
			absent:  []string{"a/new", "doc/new", "doc/in/new", "dir/deep/leaf", "dir", "a.txt", "new.json", "b/config.yml"},
			listing: map[string][]string{"": {"a", "b", "doc"}, "a": {"x", "y"}, "doc": {"in", "port"}, "doc/in": {"k"}},
		},
		{
			name:  "a content of the same size, one of another",
			put:   map[string]string{"/ovs/a/x": "2", "/ovs/a/y": "300"},
			reads: map[string]string{"a/x": "2\n", "a/y": "300\n"},
		},
		{
			name:    "a new key",
			put:     map[string]string{"/ovs/a/new": `"n"`},
			reads:   map[string]string{"a/new": "n\n"},
			listing: map[string][]string{"a": {"new", "x", "y"}},
		},
		{
			name:    "a new tree of directories",
			put:     map[string]string{"/ovs/dir/deep/leaf": `"l"`},
			reads:   map[string]string{"dir/deep/leaf": "l\n"},
			listing: map[string][]string{"": {"a", "b", "dir", "doc"}, "dir": {"deep"}},
		},
		{
			name:    "fields",
			put:     map[string]string{"/ovs/doc": `{"port": 8080, "in": {"k": "v", "new": 2}, "new": 1}`},
			reads:   map[string]string{"doc/port": "8080\n", "doc/new": "1\n", "doc/in/new": "2\n", "doc/in/k": "v\n", "doc.json": `{"port": 8080, "in": {"k": "v", "new": 2}, "new": 1}` + "\n"},
			listing: map[string][]string{"doc": {"in", "new", "port"}, "doc/in": {"k", "new"}},
		},
		{
			name:    "fields again",
			put:     map[string]string{"/ovs/doc": `{"in": 7}`},
			reads:   map[string]string{"doc/in": "7\n"},
			absent:  []string{"doc/port", "doc/new", "doc/in/k"},
			listing: map[string][]string{"doc": {"in"}},
		},
		{
			name:    "a key where a field is",
			put:     map[string]string{"/ovs/doc/in": `"key"`},
			reads:   map[string]string{"doc/in": "key\n", "doc/in%json": "7\n"},
			listing: map[string][]string{"doc": {"in", "in%json"}},
		},
		{
			name:    "removals",
			del:     []string{"/ovs/dir/deep/leaf", "/ovs/a/new", "/ovs/doc/in"},
			reads:   map[string]string{"doc/in": "7\n"},
			absent:  []string{"dir", "dir/deep", "dir/deep/leaf", "a/new", "doc/in%json"},
			listing: map[string][]string{"": {"a", "b", "doc"}, "a": {"x", "y"}, "doc": {"in"}},
		},
		{
			name:    "a file becomes a directory and a directory a file",
			put:     map[string]string{"/ovs/a/x": `{"f": 1}`, "/ovs/doc": `"text"`},
			reads:   map[string]string{"a/x/f": "1\n", "doc": "text\n"},
			absent:  []string{"doc.json"},
			listing: map[string][]string{"a/x": {"f"}},
		},
		{
			name:    "a value joins its directory",
			put:     map[string]string{"/ovs/a": "5"},
			reads:   map[string]string{"a/.value": "5\n", "a/y": "300\n"},
			listing: map[string][]string{"a": {".value", "x", "y"}},
		},
		{
			name:  "a key takes the name of a view",
			put:   map[string]string{"/ovs/b/config.json": `"mine"`},
			reads: map[string]string{"b/config.json": "mine\n", "b/config/k": "v\n"},
		},
		{
			name:   "and gives it back",
			del:    []string{"/ovs/b/config.json"},
			reads:  map[string]string{"b/config.json": `{"k": "v"}` + "\n"},
			absent: []string{"b/other"},
		},
	}
	for name, option := range map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly} {
		t.Run(name, func(t *testing.T) {
			m := mountTree(t, map[string]string{
				"/ovs/a/x": "1", "/ovs/a/y": "30", "/ovs/b/config": `{"k": "v"}`,
				"/ovs/doc": `{"port": 80, "in": {"k": "v"}}`,
			}, option)
			for _, st := range steps {
				if st.put != nil {
					m.store.put(st.put)
				}
				if st.del != nil {
					m.store.del(st.del...)
				}
				m.settle()
				for path, want := range st.reads {
					if got := m.read(path); got != want {
						t.Errorf("%s: %s reads %q, want %q", st.name, path, got, want)
					}
					if fi, err := os.Stat(m.path(path)); err != nil || fi.Size() != int64(len(want)) || fi.IsDir() {
						t.Errorf("%s: stat of %s: %v %v, want a file of %d bytes", st.name, path, fi, err, len(want))
					}
				}
				for _, path := range st.absent {
					if fi, err := os.Lstat(m.path(path)); err == nil {
						t.Errorf("%s: %s is there: %v", st.name, path, fi)
					}
				}
				for path, want := range st.listing {
					for range 2 {
						if got := m.list(path); !slices.Equal(got, want) {
							t.Errorf("%s: %q lists %q, want %q", st.name, path, got, want)
						}
					}
				}
			}
		})
	}
}

// A rewrite of the same value is no change: the kernel goes on with its copy.
func TestSameValueSendsNothing(t *testing.T) {
	m := mountTree(t, map[string]string{"/ovs/a": "1"})
	m.read("a")
	before := m.s.notices.publishedCount()
	m.store.put(map[string]string{"/ovs/a": "1"})
	if after := m.s.notices.publishedCount(); after != before {
		t.Errorf("%d publications for a value that did not change", after-before)
	}
}
