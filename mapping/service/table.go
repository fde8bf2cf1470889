package service

import "strings"

// Kind is what sort of service one is.
type Kind string

// The services of the seed.
const (
	VolumeDriver Kind = "volumedriver"
	Proxy        Kind = "proxy" // of ALBA
	ASD          Kind = "asd"
	ASDNode      Kind = "asdnode"
	Maintenance  Kind = "maintenance"
	Arakoon      Kind = "arakoon" // a cluster: all its nodes read one configuration
)

// table has the directory of each kind; a star stands for one name.
var table = []struct {
	kind    Kind
	pattern string
}{
	{VolumeDriver, "vpools/*/hosts/*"},
	{Proxy, "vpools/*/proxies/*"},
	{ASD, "alba/asds/*"},
	{ASDNode, "alba/asdnodes/*"},
	{Maintenance, "alba/backends/*/maintenance"},
	{Arakoon, "arakoon/*"},
}

// Service is one service: its directory, and the paths in it.
type Service struct {
	Kind Kind
	Dir  string
	// Config is the path of what it reads, and the place above it.
	Config string
	// Reload and Report are the paths of the counter and of the answer.
	Reload, Report string
}

// At returns the service whose directory is dir.
func At(dir string) (Service, bool) {
	names := strings.Split(dir, "/")
	for _, row := range table {
		if pattern := strings.Split(row.pattern, "/"); len(pattern) == len(names) && match(pattern, names) {
			return Service{Kind: row.kind, Dir: dir, Config: dir + "/config", Reload: dir + "/reload", Report: dir + "/report"}, true
		}
	}
	return Service{}, false
}

// Of returns the service that a path belongs to: the path is at or below its
// configuration, or is its counter or its answer. None if the path is another
// one in the service's directory.
func Of(path string) (Service, bool) {
	names := strings.Split(path, "/")
	for _, row := range table {
		pattern := strings.Split(row.pattern, "/")
		n := len(pattern)
		if len(names) <= n || !match(pattern, names[:n]) {
			continue
		}
		s, _ := At(strings.Join(names[:n], "/"))
		if names[n] == "config" || path == s.Reload || path == s.Report {
			return s, true
		}
	}
	return Service{}, false
}

// OfConfig is Of for paths at or below a configuration.
func OfConfig(path string) (Service, bool) {
	s, ok := Of(path)
	return s, ok && path != s.Reload && path != s.Report
}

// IsReload reports whether a path is the counter of a service.
func IsReload(path string) bool {
	s, ok := Of(path)
	return ok && path == s.Reload
}

func match(pattern, names []string) bool {
	for i, name := range names {
		if name == "" || pattern[i] != "*" && pattern[i] != name {
			return false
		}
	}
	return true
}
