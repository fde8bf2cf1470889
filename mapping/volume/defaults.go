package volume

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// defaults is the configuration that a new volume begins with: what the
// volumedrivers of its vpool would give it, and empty required fields. The vrouters of a
// vpool are configured alike; the first by name is asked, and the catalogue's
// default for what that does not say.
//
// A SCO has vrouter_sco_multiplier clusters of 4 KiB. The write buffer is what the SCOs
// of one tlog come to, non_disposable_scos_factor times: the framework sets the
// factor to write_buffer / number_of_scos_in_tlog / sco_size (ovs/lib/storagerouter.py).
func (r *Rules) defaults(t *mapping.Tree, vpool string) []byte {
	d := driver{rules: r, path: "vpools/" + mapping.EncodeName(vpool) + "/hosts/*/config"}
	if hosts, ok := t.Lookup("vpools/" + mapping.EncodeName(vpool) + "/hosts"); ok && hosts.IsDir() {
		for n := range hosts.Children() {
			if config, ok := n.Lookup("config"); ok && config.IsDir() && (!d.config.Valid() || n.Name() < d.name) {
				d.config, d.name = config, n.Name()
			}
		}
	}
	sco := d.number("volume_router", "vrouter_sco_multiplier") * 4 / 1024
	size := scoSizes[0]
	for _, s := range scoSizes {
		if float64(s) <= sco {
			size = s
		}
	}
	buffer := d.number("volume_manager", "number_of_scos_in_tlog") * d.number("volume_manager", "non_disposable_scos_factor") * float64(size)
	buffer = math.Round(min(max(buffer, minBuffer), maxBuffer))
	null, empty := []byte("null"), []byte(`""`)
	return object([]field{
		{fieldRouter, empty}, {fieldName, empty}, {fieldPath, empty},
		{"sco_size", strconv.AppendInt(nil, int64(size), 10)},
		{"read_cache_mode", d.allowed("read_cache_mode", "volume_manager", "read_cache_default_mode")},
		{"readcache_limit", null},
		{"write_buffer", strconv.AppendInt(nil, int64(buffer), 10)},
		{"dtl_mode", d.allowed("dtl_mode", "filesystem", "fs_dtl_mode")},
		{"dtl_target", null},
		{"cache_strategy", d.allowed("cache_strategy", "volume_manager", "read_cache_default_behaviour")},
		{fieldParent, null}, {fieldSnapshot, null},
	})
}

// What the framework lets a volume have, in MiB (ovs/lib/vdisk.py).
var scoSizes = []int{4, 8, 16, 32, 64, 128}

const minBuffer, maxBuffer = 128, 10240

type field struct {
	name string
	text []byte
}

func object(fields []field) []byte {
	out := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(append(append(out, encode(f.name)...), ": "...), f.text...)
	}
	return append(out, '}')
}

// driver is the configuration of one volumedriver.
type driver struct {
	rules  *Rules
	path   string
	name   string
	config mapping.Node
}

// text is a parameter, or the default that a missing one has.
func (d *driver) text(component, name string) string {
	if n, ok := d.config.Lookup(component); ok {
		if n, ok = n.Lookup(name); ok && !n.IsDir() {
			if s := strings.TrimSuffix(string(n.Content()), "\n"); s != "" {
				return s
			}
		}
	}
	return d.usual(component, name)
}

// usual is a parameter's default.
func (d *driver) usual(component, name string) string {
	e, _ := d.rules.known.Entry(d.path + "/" + component + "/" + name)
	if s := ""; json.Unmarshal(e.Default, &s) == nil {
		return s
	}
	return string(e.Default)
}

// allowed is a parameter as a field of a volume, the default if a volume may not have it.
func (d *driver) allowed(field, component, name string) []byte {
	text := encode(d.text(component, name))
	if len(d.rules.known.Validate("vpool/*/volumes/*/config/"+field, text)) > 0 {
		text = encode(d.usual(component, name))
	}
	return text
}

func (d *driver) number(component, name string) float64 {
	n, err := strconv.ParseFloat(d.text(component, name), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}
