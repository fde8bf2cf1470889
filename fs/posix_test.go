package fs

import (
	"os"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// notPosix are the tests of go-fuse's suite that do not hold among keys, and why.
var notPosix = map[string]string{
	"FcntlFlockLocksFile": "go-fuse leaves it out of its own run: the test is wrong",
	"FstatDeleted":        "the times of a new file are those of its revision, which comes with the last close",
	"Link":                "etcd has no second name for a value: ENOTSUP",
	"LinkUnlinkRename":    "as Link",
	"OpenSymlinkRace":     "etcd has no symbolic links: ENOTSUP",
	"SetattrSymlink":      "as OpenSymlinkRace",
	"SymlinkReadlink":     "as OpenSymlinkRace",
}

// notPosixField are the further ones that do not hold in a document.
var notPosixField = map[string]string{
	"FileLarge": "its content is not UTF-8, which a JSON string has to be: EINVAL",
}

// notPosixScratch are those that do not hold among scratch files.
var notPosixScratch = map[string]string{
	"FcntlFlockLocksFile": notPosix["FcntlFlockLocksFile"],
	"Link":                "editors and lock files do without: ENOTSUP, as for keys",
	"LinkUnlinkRename":    "as Link",
	"OpenSymlinkRace":     "go-fuse leaves it out of its own run: it takes its time",
}

// TestPosix runs go-fuse's suite, with no newline added to what is shown.
func TestPosix(t *testing.T) {
	for _, place := range []struct {
		name, dir string
		skip      []map[string]string
	}{
		{"keys", "keys", []map[string]string{notPosix}},
		{"fields", "doc", []map[string]string{notPosix, notPosixField}},
		{"scratch", ".scratch", []map[string]string{notPosixScratch}},
	} {
		for name, test := range posixtest.All {
			t.Run(place.name+"/"+name, func(t *testing.T) {
				for _, skip := range place.skip {
					if reason := skip[name]; reason != "" {
						t.Skip(reason)
					}
				}
				exact := mapping.Settings{Prefix: "/ovs", Exact: true}
				m := mountStore(t, newFakeStoreWith(t, exact, map[string]string{"/ovs/doc": "{}"}))
				if place.dir != "doc" {
					if err := os.Mkdir(m.path(place.dir), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				test(t, m.path(place.dir))
			})
		}
	}
}
