package service

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/openvstorage/ovscfgfs/mapping"
	"github.com/openvstorage/ovscfgfs/mapping/catalogue"
)

// Update is the change of one parameter, spelled as the volumedriver's
// UpdateReport spells it.
type Update struct {
	Name
	Old any `json:"old_value"`
	New any `json:"new_value"`

	secret bool
}

// Masked are updates for everybody's eyes: a report can be read by those who may
// not read the configuration.
func Masked(list []Update) []Update {
	masked := make([]Update, len(list))
	for i, u := range list {
		if masked[i] = u; u.secret {
			masked[i].Old, masked[i].New = mask(u.Old), mask(u.New)
		}
	}
	return masked
}

func mask(value any) any {
	if value == nil {
		return nil
	}
	return mapping.Masked
}

// Problem is a parameter that stays what it was, and why; spelled as the
// volumedriver's ConfigurationProblem.
type Problem struct {
	Name
	Problem string `json:"problem"`
}

// Comparison is what differs between the configuration that a service runs
// with and the one that is stored.
type Comparison struct {
	// Dynamic may change while it runs.
	Dynamic []Update
	// Restart counts when it is started again.
	Restart []Update
	// Fixed never changes.
	Fixed []Problem
}

// Compare holds a stored configuration of a service against the one that it
// runs with, nil if that is not known: then it is taken to have been started
// with what is stored, and all that is dynamic is told again.
//
// A dynamic parameter that is not there any more is its default; one that has
// none stays what it is.
func Compare(known *catalogue.Catalogue, s Service, running, stored Config) Comparison {
	c := Comparison{Dynamic: []Update{}, Restart: []Update{}, Fixed: []Problem{}}
	for _, name := range names(running, stored) {
		entry, _ := known.Entry(s.pathOf(name))
		was, is := valueOf(running, name, entry), valueOf(stored, name, entry)
		_, there := stored[name]
		update := Update{name, was, is, entry.Secret || secret(name, was) || secret(name, is)}
		switch class := entry.Class; {
		case running == nil && class != catalogue.Dynamic:
		case running != nil && s.same(was, is):
		case class == catalogue.Dynamic:
			if there || entry.Default != nil {
				c.Dynamic = append(c.Dynamic, update)
			}
		case class == catalogue.Immutable:
			c.Fixed = append(c.Fixed, Problem{name, "it is an identity and never changes"})
		default:
			c.Restart = append(c.Restart, update)
		}
	}
	return c
}

// secret reports whether a parameter's name or value says that it is a secret.
func secret(n Name, value any) bool {
	text, _ := json.Marshal(value)
	if s, ok := value.(string); ok {
		text = []byte(s)
	}
	return mapping.Secret(n.Param, text)
}

// pathOf is the shown path of a parameter.
func (s Service) pathOf(n Name) string {
	switch {
	case n.Component != "":
		return s.Config + "/" + n.Component + "/" + mapping.EncodeName(n.Param)
	case n.Param == "config":
		return s.Config
	}
	return s.Config + "/" + mapping.EncodeName(n.Param)
}

// valueOf is a parameter's value: its default if it is not there, nil if it has none.
func valueOf(c Config, name Name, entry catalogue.Entry) any {
	if value, ok := c[name]; ok {
		return value
	}
	fallback := Config{}
	if entry.Default != nil {
		fallback.add("", "default", entry.Default)
	}
	return fallback[Name{Param: "default"}]
}

// same reports whether two values are equal to the service. The volumedriver's
// parser forgets types: 5000 and "5000" are equal there.
func (s Service) same(a, b any) bool {
	if s.Kind == VolumeDriver && scalar(a) && scalar(b) {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}
	return reflect.DeepEqual(a, b)
}

func scalar(v any) bool {
	switch v.(type) {
	case string, json.Number, bool:
		return true
	}
	return false
}

// Applied is the configuration that a service runs with once updates were made.
func Applied(running, stored Config, updates []Update) Config {
	if running == nil {
		running = stored // what it was started with
	}
	now := Config{}
	for name, value := range running {
		now[name] = value
	}
	for _, u := range updates {
		if _, there := stored[u.Name]; there {
			now[u.Name] = u.New
		} else {
			delete(now, u.Name) // its default
		}
	}
	return now
}
