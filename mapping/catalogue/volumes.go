package catalogue

import (
	"regexp"
	"strconv"

	"github.com/openvstorage/ovscfgfs/mapping"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// maxCloneDepth is how many parents a clone may have in line (volumedriver).
const maxCloneDepth = 255

// volumes holds the volumes of each vpool against each other.
func (s *survey) volumes() {
	s.below("vpool", func(name string, _ mapping.Node) {
		vpool := "vpool/" + name
		if !s.exists("vpools/" + name) {
			s.missing(vpool, "unknown-vpool", "is no vpool: vpools/"+name+" does not exist")
		}
		s.vpoolVolumes(vpool)
	})
}

func (s *survey) vpoolVolumes(vpool string) {
	parents := map[string]string{}
	paths := map[string]string{} // the volume that has a filesystem_path
	s.below(vpool+"/volumes", func(id string, node mapping.Node) {
		at := vpool + "/volumes/" + id
		if !uuid.MatchString(id) {
			s.missing(at, "volume-id", "must be a UUID in lower case: it is the volume's identity")
		}
		config, ok := node.Lookup("config")
		if !ok {
			s.missing(at+"/config", "required", "is missing, and must be there")
			return
		}
		doc := documentOf(config)
		parents[id] = textOf(field(doc, "parent_volume_id"))
		if path := textOf(field(doc, "filesystem_path")); path != "" {
			if other, taken := paths[path]; taken {
				s.wrong(at+"/config/filesystem_path", "path-twice", path, "is the path of volume "+other+" too")
			} else {
				paths[path] = id
			}
		}
	})
	s.lineages(vpool, parents)
	if requests, ok := s.tree.Lookup(vpool + "/lifecycle"); ok && requests.IsDir() {
		for request := range requests.Children() {
			if _, there := parents[request.Name()]; !there && textOf(field(documentOf(request), "action")) != "delete" {
				s.missing(vpool+"/lifecycle/"+request.Name(), "orphan-request", "asks for a volume that is not there; only delete does")
			}
		}
	}
}

// lineages follows each volume's parents. A volume's depth is found once.
func (s *survey) lineages(vpool string, parents map[string]string) {
	depths := map[string]int{}
	for id := range parents {
		var line []string
		onLine := map[string]bool{}
		at := id
		for at != "" && !onLine[at] {
			if _, known := depths[at]; known {
				break
			}
			line = append(line, at)
			onLine[at] = true
			at = parents[at]
		}
		if onLine[at] {
			s.cycle(vpool, at, parents)
			for _, member := range line {
				depths[member] = 0
			}
			continue
		}
		depth := -1
		if at != "" {
			depth = depths[at]
		}
		for i := len(line) - 1; i >= 0; i-- {
			depth++
			depths[line[i]] = depth
			if depth > maxCloneDepth {
				s.wrong(vpool+"/volumes/"+line[i]+"/config/parent_volume_id", "clone-depth", parents[line[i]],
					"makes the "+strconv.Itoa(depth)+"th clone in line, and the volumedriver follows "+strconv.Itoa(maxCloneDepth))
			}
		}
	}
}

func (s *survey) cycle(vpool, start string, parents map[string]string) {
	at := start
	for {
		s.wrong(vpool+"/volumes/"+at+"/config/parent_volume_id", "parent-cycle", parents[at], "makes the volume its own ancestor")
		if at = parents[at]; at == start {
			return
		}
	}
}
