package fs

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// sample has each shape of entry once.
func sample() map[string]string {
	return map[string]string{
		"/ovs/vpools/p/hosts/h/config": `{"port": 26203, "name": "héllo", "on": true, "none": null, "empty": "", "list": [1, "two", [3]], "password": "x"}`,
		"/ovs/plain":                   "5",
		"/ovs/text":                    "a\nb",
		"/ovs/both":                    "hello there",
		"/ovs/both/below":              `"x"`,
		"/ovs/arakoon/c/config":        "[global]\ncluster_id = c\n",
		"/ovs/large":                   strings.Repeat("line\n", 40_000),
	}
}

func TestReadsContents(t *testing.T) {
	for name, option := range map[string]func(*Options){"rw": func(*Options) {}, "ro": readOnly} {
		t.Run(name, func(t *testing.T) {
			m := mountTree(t, sample(), option)
			for path, want := range map[string]string{
				"vpools/p/hosts/h/config/port":     "26203\n",
				"vpools/p/hosts/h/config/name":     "héllo\n",
				"vpools/p/hosts/h/config/on":       "true\n",
				"vpools/p/hosts/h/config/none":     "null\n",
				"vpools/p/hosts/h/config/empty":    "",
				"vpools/p/hosts/h/config/list/0":   "1\n",
				"vpools/p/hosts/h/config/list/1":   "two\n",
				"vpools/p/hosts/h/config/list/2/0": "3\n",
				"plain":                            "5\n",
				"text":                             "a\nb\n",
				"both/.value":                      "hello there\n",
				"both/below":                       "x\n",
				"arakoon/c/config":                 "[global]\ncluster_id = c\n",
				"large":                            strings.Repeat("line\n", 40_000),
				"vpools/p/hosts/h/config.json":     sample()["/ovs/vpools/p/hosts/h/config"] + "\n",
			} {
				for range 2 { // the second time from the kernel's cache
					if got := m.read(path); got != want {
						t.Errorf("%s reads %.80q, want %.80q", path, got, want)
					}
				}
				if fi, err := os.Stat(m.path(path)); err != nil || fi.Size() != int64(len(want)) {
					t.Errorf("stat of %s: %v, want a size of %d", path, fi, len(want))
				}
			}
			if got, want := m.list(""), []string{"arakoon", "both", "large", "plain", "text", "vpools"}; !slices.Equal(got, want) {
				t.Errorf("the root lists %q, want %q", got, want)
			}
			if _, err := os.Stat(m.path("absent")); !os.IsNotExist(err) {
				t.Errorf("stat of an absent name: %v", err)
			}
		})
	}
}
