package volume

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
)

// Answer is what a handler answers, one JSON object on its standard output.
// None at all means that everything was applied.
type Answer struct {
	// Applied are the changes that count now. Without the field these are all
	// that are not rejected; with it, a change that is in neither list was not taken.
	Applied []Change `json:"applied"`
	// Rejected are the fields that stay what they were.
	Rejected []Rejection `json:"rejected"`
	// Error says that the action as a whole was not done, and why; Retry, that
	// it may be done later.
	Error string `json:"error"`
	Retry bool   `json:"retry"`
}

// mostAnswer bounds what a handler may answer, in bytes.
const mostAnswer = 1 << 20

// ParseAnswer reads a handler's output. What is no answer is a failure that is
// tried again.
func ParseAnswer(output []byte) Answer {
	rubbish := func(why string) Answer {
		return Answer{Error: "the handler's answer is no answer: " + why, Retry: true}
	}
	if len(bytes.TrimSpace(output)) == 0 {
		return Answer{}
	}
	if len(output) > mostAnswer {
		return rubbish("it is longer than " + strconv.Itoa(mostAnswer) + " bytes")
	}
	var a *Answer
	if !readJSON(output, &a) || a == nil {
		return rubbish("it must be one JSON object, such as {\"applied\": []}")
	}
	for _, r := range a.Rejected {
		if r.Field == "" {
			return rubbish("it rejects a field without a name")
		}
	}
	return *a
}

// Failed reports whether the action was not done.
func (a Answer) Failed() bool { return a.Error != "" }

// Outcome is the status after a job whose claim is given. again: a failure that
// may be retried is going to be. A deletion that was done has none: its status goes.
func (j *Job) Outcome(claim Status, a Answer, again bool) Status {
	s := claim
	s.State, s.Owner, s.Config = Ready, s.By, maps.Clone(j.New)
	s.Applied, s.Rejected = []Change{}, append([]Rejection{}, j.Refused...)
	for _, c := range j.Changed {
		if reason, ok := a.refusal(c); ok {
			s.Rejected = append(s.Rejected, Rejection{c.Name, reason})
			restore(s.Config, c.Name, j.Old)
		} else {
			s.Applied = append(s.Applied, c)
		}
	}
	if !a.Failed() {
		if s.Config["volume_router"] == j.New["volume_router"] && lacking(s.Config) == "" {
			return s
		}
		a.Error = "the handler rejected a field that no volume can be without"
	}
	failed := claim
	failed.Applied, failed.Rejected, failed.Error = []Change{}, append(append([]Rejection{}, j.Refused...), a.Rejected...), a.Error
	switch {
	case !a.Retry || !again:
		failed.State = Failed
	case j.Action != Delete:
		failed.State = Pending
	}
	return failed
}

// refusal is why a change does not count.
func (a Answer) refusal(c Change) (string, bool) {
	for _, r := range a.Rejected {
		if r.Field == c.Name {
			return r.Reason, true
		}
	}
	if a.Applied == nil || slices.ContainsFunc(a.Applied, func(applied Change) bool { return applied.Name == c.Name }) {
		return "", false
	}
	return "the handler did not say that it was applied", true
}
