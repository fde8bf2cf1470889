package service

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
)

// Report is a service's answer to one count of its reload.
type Report struct {
	// Generation is the count that was answered.
	Generation int64 `json:"generation"`
	// Updates are the parameters that have new values now.
	Updates []Update `json:"updates"`
	// Rejected stay what they were. All are in it, or none was applied, when one
	// fails the service's check.
	Rejected []Problem `json:"rejected"`
	// RestartRequired differ from what the service was started with.
	RestartRequired []Update `json:"restart_required"`
	// Error says why nothing was applied, if no parameter is to blame.
	Error string `json:"error,omitempty"`
	// UpdatedAt is RFC 3339 in UTC.
	UpdatedAt string `json:"updated_at"`
}

// JSON is the report as it is stored.
func (r Report) JSON() []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return nil // it is made of what JSON has
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Answer is what a handler answers, one JSON object on its standard output;
// none at all means that all is well.
type Answer struct {
	// Updates, of a reload, are what was applied; without the field everything was.
	Updates []Update `json:"updates"`
	// Rejected, of a check, have it fail.
	Rejected []Problem `json:"rejected"`
	// Running, of a check, is the configuration that the service runs with, if it
	// can tell.
	Running map[string]any `json:"running"`
	// Error says that nothing was done, and why; Retry, that it may be done later.
	Error string `json:"error"`
	Retry bool   `json:"retry"`
}

// ParseAnswer reads a handler's output. What is no answer is a failure that is
// tried again.
func ParseAnswer(output []byte) Answer {
	if len(bytes.TrimSpace(output)) == 0 {
		return Answer{}
	}
	var a *Answer
	decoder := json.NewDecoder(bytes.NewReader(output))
	decoder.UseNumber()
	err := decoder.Decode(&a)
	if _, end := decoder.Token(); err != nil || a == nil || end != io.EOF {
		return Answer{Error: `the handler's answer is no answer: it must be one JSON object, such as {"updates": []}`, Retry: true}
	}
	return *a
}

// Made are the updates of a comparison that a reload's answer has made, and
// those that it has not.
func (a Answer) Made(c Comparison) (made []Update, missed []Problem) {
	made, missed = []Update{}, []Problem{}
	for _, u := range c.Dynamic {
		same := func(n Name) bool {
			return n.Param == u.Param && (n.Component == u.Component || n.Component == "")
		}
		i := slices.IndexFunc(a.Rejected, func(p Problem) bool { return same(p.Name) })
		switch {
		case i >= 0:
			missed = append(missed, Problem{u.Name, a.Rejected[i].Problem})
		case a.Updates == nil || slices.ContainsFunc(a.Updates, func(v Update) bool { return same(v.Name) }):
			made = append(made, u)
		default:
			missed = append(missed, Problem{u.Name, "the service did not say that it was applied"})
		}
	}
	return made, missed
}
