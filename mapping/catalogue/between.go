package catalogue

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// validateFields holds the rules among the fields of one document that JSON
// Schema cannot say, or not in words. They are those that the services check
// when they start or reload.
func (c *Catalogue) validateFields(pattern, path string, doc any) []Problem {
	r := fieldRules{c: c, path: path, doc: doc}
	switch pattern {
	case component + "scocache":
		r.gaps()
	case component + "volume_router":
		r.order("vrouter_min_workers", 4, "vrouter_max_workers", 16)
	case component + "backend_connection_manager":
		if r.or("backend_type", "LOCAL") == "LOCAL" && r.text("local_connection_path") == "" {
			r.missing("local_connection_path", "backend-path", "must be there, since backend_type is LOCAL (its default)")
		}
	case component + "filesystem":
		r.filesystem()
	case component + "distributed_lock_store":
		if r.text("dls_type") == "Arakoon" {
			r.needsList("dls_arakoon_cluster_nodes", "lock-nodes", "dls_type is Arakoon")
			if r.text("dls_arakoon_cluster_id") == "" {
				r.missing("dls_arakoon_cluster_id", "lock-nodes", "must be there and not be empty, since dls_type is Arakoon")
			}
		}
	case component + "metadata_server":
		r.metadataServers()
	case "alba/asds/*/config":
		if r.absent("port") && r.absent("tls") {
			r.missing("port", "port-or-tls", "is missing: an asd needs a port, or tls")
		}
	case "alba/backends/*/maintenance/config", "vpools/*/proxies/*/config/main":
		r.manager()
	case "framework/hosts/*/ports":
		r.portRanges()
	case "vpool/*/volumes/*/config":
		r.volume()
	}
	return r.list
}

// component is the pattern of a volumedriver's components.
const component = "vpools/*/hosts/*/config/"

// fieldRules looks into one document.
type fieldRules struct {
	c    *Catalogue
	path string
	doc  any
	list []Problem
}

func (r *fieldRules) text(name string) string { return textOf(field(r.doc, name)) }

func (r *fieldRules) absent(name string) bool { return field(r.doc, name) == nil }

func (r *fieldRules) or(name, def string) string {
	if r.absent(name) {
		return def
	}
	return r.text(name)
}

func (r *fieldRules) wrong(name, rule, words string) {
	r.list = append(r.list, r.c.problem(join(r.path, name), rule, field(r.doc, name), words))
}

func (r *fieldRules) missing(name, rule, words string) {
	if !r.absent(name) {
		r.wrong(name, rule, words)
		return
	}
	r.list = append(r.list, missing(join(r.path, name), rule, words))
}

// order holds that the number of one field is not above another's.
func (r *fieldRules) order(low string, lowDefault int64, high string, highDefault int64) {
	value := func(name string, def int64) int64 {
		if n, ok := wholeOf(field(r.doc, name)); ok {
			return n
		}
		return def
	}
	l, h := value(low, lowDefault), value(high, highDefault)
	if l > h {
		at := high
		if r.absent(high) {
			at = low
		}
		r.wrong(at, "worker-order", high+" must not be less than "+low+" ("+shown(l64(h))+" is less than "+shown(l64(l))+"; a missing one means its default)")
	}
}

func l64(n int64) json.Number { return json.Number(big.NewInt(n).String()) }

func (r *fieldRules) gaps() {
	trigger, ok := sizeOf(r.text("trigger_gap"))
	backoff, both := sizeOf(r.text("backoff_gap"))
	if ok && trigger.Sign() == 0 {
		r.wrong("trigger_gap", "gap-zero", "must be more than nothing")
	}
	if both && backoff.Sign() == 0 {
		r.wrong("backoff_gap", "gap-zero", "must be more than nothing")
	}
	if ok && both && backoff.Cmp(trigger) < 0 {
		r.wrong("backoff_gap", "gap-order", "must not be less than trigger_gap, which is "+quoted(r.text("trigger_gap")))
	}
}

var sizeText = regexp.MustCompile(`^([0-9]+) *([KMGTP]?)(i?)B$`)

// sizeOf is a size in bytes; false for what is none, and for UNLIMITED.
func sizeOf(text string) (*big.Int, bool) {
	part := sizeText.FindStringSubmatch(text)
	if part == nil || part[2] == "" && part[3] != "" {
		return nil, false
	}
	n, _ := new(big.Int).SetString(part[1], 10)
	unit := big.NewInt(1000)
	if part[3] != "" {
		unit = big.NewInt(1024)
	}
	power := big.NewInt(int64(strings.Index("KMGTP", part[2]) + 1))
	if part[2] == "" {
		power = big.NewInt(0)
	}
	return n.Mul(n, unit.Exp(unit, power, nil)), true
}

func (r *fieldRules) needsList(name, rule, why string) {
	if len(elements(field(r.doc, name))) == 0 {
		r.missing(name, rule, "must list at least one node, since "+why)
	}
}

func (r *fieldRules) filesystem() {
	if r.text("fs_virtual_disk_format") == "raw" && r.text("fs_raw_disk_suffix") == "" {
		r.missing("fs_raw_disk_suffix", "raw-suffix", "must not be empty, since fs_virtual_disk_format is raw")
	}
	switch r.or("fs_metadata_backend_type", "MDS") {
	case "MDS":
		r.needsList("fs_metadata_backend_mds_nodes", "metadata-nodes", "fs_metadata_backend_type is MDS (its default)")
		if n, ok := wholeOf(field(r.doc, "fs_metadata_backend_mds_timeout_secs")); ok && n == 0 {
			r.wrong("fs_metadata_backend_mds_timeout_secs", "metadata-nodes", "must not be 0, since fs_metadata_backend_type is MDS (its default)")
		}
	case "ARAKOON":
		r.needsList("fs_metadata_backend_arakoon_cluster_nodes", "metadata-nodes", "fs_metadata_backend_type is ARAKOON")
	}
	for i, rule := range elements(field(r.doc, "fs_file_event_rules")) {
		expression := textOf(field(rule, "fs_file_event_rule_path_regex"))
		if strings.Count(expression, "(") != strings.Count(expression, ")") && !strings.Contains(expression, `\`) && !strings.Contains(expression, "[") {
			at := join(r.path, "fs_file_event_rules", strconv.Itoa(i), "fs_file_event_rule_path_regex")
			r.list = append(r.list, r.c.problem(at, "regex", expression, "is no regular expression: its parentheses do not pair"))
		}
	}
}

func (r *fieldRules) metadataServers() {
	first := map[string]int{}
	for i, node := range elements(field(r.doc, "mds_nodes")) {
		for _, name := range []string{"address", "db_directory"} {
			value := textOf(field(node, name))
			at := join(r.path, "mds_nodes", strconv.Itoa(i), name)
			if name == "address" {
				value = textOf(field(node, "host")) + ":" + textOf(field(node, "port"))
				at = join(r.path, "mds_nodes", strconv.Itoa(i), "port")
			}
			if j, ok := first[name+value]; ok {
				r.list = append(r.list, r.c.problem(at, "mds-conflict", value, "is that of element "+strconv.Itoa(j)+" too"))
				continue
			}
			first[name+value] = i
		}
	}
}

// manager: where ALBA's services find the manager is said once.
func (r *fieldRules) manager() {
	url, file := !r.absent("albamgr_cfg_url"), !r.absent("albamgr_cfg_file")
	switch {
	case url && file:
		r.wrong("albamgr_cfg_file", "url-or-file", "must not be there together with albamgr_cfg_url")
	case !url && !file:
		r.missing("albamgr_cfg_url", "url-or-file", "is missing: the service must be told where ALBA's manager is")
	}
}

func (r *fieldRules) portRanges() {
	type span struct {
		from, to int64
		path     string
	}
	var spans []span
	each(r.doc, func(name string, list any) {
		for i, item := range elements(list) {
			at := join(r.path, name, strconv.Itoa(i))
			from, ok := wholeOf(item)
			s := span{from, from, at}
			if pair := elements(item); len(pair) == 2 {
				from, ok = wholeOf(pair[0])
				to, second := wholeOf(pair[1])
				ok = ok && second
				s = span{from, to, at}
			}
			if !ok {
				continue
			}
			if s.from > s.to {
				r.list = append(r.list, r.c.problem(join(at, "1"), "port-range", l64(s.to), "must not be less than the range's first port "+shown(l64(s.from))))
				continue
			}
			for _, other := range spans {
				if s.from <= other.to && other.from <= s.to {
					r.list = append(r.list, r.c.problem(at, "port-range", item, "overlaps with "+other.path))
				}
			}
			spans = append(spans, s)
		}
	})
}

// cloneName is what the framework lets a clone be called.
var cloneName = regexp.MustCompile(`^[a-zA-Z0-9][-_a-zA-Z0-9]{1,48}[a-zA-Z0-9]$`)

func (r *fieldRules) volume() {
	parent, snapshot := r.text("parent_volume_id"), r.text("snapshot_id")
	if parent == "" && snapshot != "" {
		r.wrong("snapshot_id", "snapshot-without-parent", "must be null or empty, since parent_volume_id is")
	}
	if name := r.text("name"); parent != "" && name != "" && !cloneName.MatchString(name) {
		r.wrong("name", "clone-name", "must be, for a clone, 3 to 50 letters, digits, - and _, with a letter or digit at both ends")
	}
}
