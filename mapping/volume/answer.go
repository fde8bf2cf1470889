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

// Accept makes a failure of an answer that rejects what cannot be rejected.
func (j *Job) Accept(a Answer) Answer {
	switch {
	case a.Failed():
	case j.Action == Delete && len(a.Rejected) > 0:
		a.Error, a.Retry = "the handler rejected the deletion: "+a.Rejected[0].Reason, true
	case j.Action != Delete:
		if config := j.effect(a); config[fieldRouter] != j.New[fieldRouter] || lacking(config) != "" {
			a.Error = "the handler rejected a field that no volume can be without"
		}
	}
	return a
}

// effect is the configuration that counts after an answer.
func (j *Job) effect(a Answer) map[string]any {
	config := maps.Clone(j.New)
	for _, c := range j.Changed {
		if _, rejected := a.refusal(c); rejected {
			restore(config, c.Name, j.Old)
		}
	}
	return config
}

// Outcome is the status after a job whose claim is given. again: a failure that
// may be retried is going to be. A deletion that was done has none: its status goes.
func (j *Job) Outcome(claim Status, a Answer, again bool) Status {
	a = j.Accept(a)
	s := claim
	s.Applied, s.Rejected = []Change{}, append([]Rejection{}, j.Refused...)
	if a.Failed() {
		s.Error = a.Error
		s.Rejected = append(s.Rejected, a.Rejected...)
		switch {
		case !a.Retry || !again:
			s.State = Failed
		case j.Action != Delete:
			s.State = Pending
		}
		return s
	}
	s.State, s.Owner, s.Config = Ready, s.By, j.effect(a)
	for _, c := range j.Changed {
		if reason, rejected := a.refusal(c); rejected {
			s.Rejected = append(s.Rejected, Rejection{c.Name, reason})
		} else {
			s.Applied = append(s.Applied, c)
		}
	}
	return s
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
