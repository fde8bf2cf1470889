package fs

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// Names with a suffix come first in a listing, so that rm -r meets no name that has changed by
// what it has removed: the name without it goes to another of them then.
func TestSuffixedNamesAreListedFirst(t *testing.T) {
	values := map[string]string{}
	var fields, twice []string
	for k := range 40 { // each of them has its chance of the other order
		fields = append(fields, fmt.Sprintf(`"f%d":"text"`, k))
		twice = append(twice, fmt.Sprintf(`"f%d":1,"f%d":2,"f%d":3`, k, k, k))
		values[fmt.Sprintf("/ovs/dirs/f%d/b", k)] = "1"
		values[fmt.Sprintf("/ovs/leaves/f%d", k)] = "1"
	}
	values["/ovs/dirs"] = "{" + strings.Join(fields, ",") + "}"
	values["/ovs/leaves"] = values["/ovs/dirs"]
	values["/ovs/twice"] = "{" + strings.Join(twice, ",") + "}"
	for _, dir := range []string{"dirs", "leaves", "twice"} {
		t.Run(dir, func(t *testing.T) {
			m := mountTree(t, values)
			if out := m.run(0, "rm", "-r", dir); out != "" {
				t.Fatal(out)
			}
			if got := m.list(""); slices.Contains(got, dir) {
				t.Errorf("it lists %q", got)
			}
			m.store.put(map[string]string{"/ovs/" + dir: values["/ovs/"+dir], "/ovs/" + dir + "/f0/b": "1"})
			m.settle()
			if err := os.RemoveAll(m.path(dir)); err != nil {
				t.Error(err)
			}
		})
	}
}
