package volume

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Of returns the volume that a key below the prefix belongs to: the key is one
// of its three.
func Of(key string) (ID, bool) {
	if id, ok := OfConfigKey(key); ok {
		return id, true
	}
	p := strings.Split(key, "/")
	if len(p) != 4 || p[0] != "vpool" || p[2] != "lifecycle" && p[2] != "status" {
		return ID{}, false
	}
	return ID{p[1], p[3]}, true
}

// View is what etcd has of one volume at one revision.
type View struct {
	ID ID
	// Config is the volume as it is wanted, nil if it is not wanted any more or
	// Broken, which says why it cannot be understood.
	Config map[string]any
	Broken string
	// Request and Status are nil if they are not there or hold rubbish.
	Request *Request
	Status  *Status
	// The mod revisions of the three keys, 0 for one that is not there.
	ConfigRevision, RequestRevision, StatusRevision int64
}

// ViewAt reads a volume from a tree. root is the prefix that the keys of IDs
// are below, which may be above that of the tree.
func ViewAt(t *mapping.Tree, root string, id ID) View {
	v := View{ID: id}
	if kv, ok := t.Get(root + "/" + id.ConfigKey()); ok {
		v.ConfigRevision = kv.ModRevision
		if !readJSON(kv.Value, &v.Config) || v.Config == nil {
			v.Config, v.Broken = nil, "the config is no JSON object"
		} else if lacks := lacking(v.Config); lacks != "" {
			v.Broken = "the config lacks " + lacks
		}
	}
	if kv, ok := t.Get(root + "/" + id.LifecycleKey()); ok {
		v.RequestRevision = kv.ModRevision
		if r := new(Request); readJSON(kv.Value, r) {
			v.Request = r
		}
	}
	if kv, ok := t.Get(root + "/" + id.StatusKey()); ok {
		v.StatusRevision = kv.ModRevision
		if s := new(Status); readJSON(kv.Value, s) {
			v.Status = s
		}
	}
	return v
}

// readJSON decodes one JSON value with numbers in their own spelling.
func readJSON(text []byte, into any) bool {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(into) != nil {
		return false
	}
	_, err := decoder.Token()
	return err == io.EOF
}

// lacking is the first field of those that no volume can be without which is
// not there.
func lacking(config map[string]any) string {
	for _, name := range required {
		if textIn(config, name) == "" {
			return name
		}
	}
	return ""
}

// textIn is a field that is a string, "" if it is not there or something else.
func textIn(config map[string]any, name string) string {
	text, _ := config[name].(string)
	return text
}

// router is the vrouter that is to have the volume.
func (v *View) router() string { return textIn(v.Config, fieldRouter) }

// asked is the generation of the newest request.
func (v *View) asked() int64 {
	if v.Request == nil {
		return 0
	}
	return v.Request.Generation
}

// taken is the generation that is taken up with the next status.
func (v *View) taken() int64 {
	if v.Status == nil {
		return v.asked()
	}
	return max(v.asked(), v.Status.Generation)
}

// seen reports whether the config of now was looked at when the status was written.
func (v *View) seen() bool {
	return v.Status != nil && v.Status.ConfigRevision == v.ConfigRevision && v.Status.Generation >= v.asked()
}
