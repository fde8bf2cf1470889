package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// A fact is one line about the machine or the programs of a run.
type fact struct{ Name, Value string }

// machine tells what the figures depend on. It holds no date and no host name,
// so that a page written again on the same machine differs in figures only.
func (l *lab) machine() []fact {
	facts := []fact{
		{"cores", fmt.Sprint(runtime.NumCPU())},
		{"processor", firstField("/proc/cpuinfo", "model name")},
		{"memory", firstField("/proc/meminfo", "MemTotal")},
		{"kernel", firstLine("/proc/sys/kernel/osrelease")},
		{"disk under etcd and the cold tree", l.diskName()},
		{"Go", runtime.Version()},
	}
	info, err := buildinfo.ReadFile(l.daemon)
	if err != nil {
		return facts
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "go.etcd.io/etcd/client/v3":
			facts = append(facts, fact{"etcd", dep.Version + ", one server, default settings (fsync on)"})
		case "github.com/hanwen/go-fuse/v2":
			facts = append(facts, fact{"go-fuse", dep.Version})
		}
	}
	return facts
}

// firstField is the value of the first "name : value" line of a file of /proc.
func firstField(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
