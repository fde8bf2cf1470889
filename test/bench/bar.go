package main

import "fmt"

// A bar is what a row's target should keep to: at most (or at least) factor
// times another target's median, plus something in the row's unit.
type bar struct {
	target  string
	factor  float64
	against string // "" for a fixed limit, which is plus
	plus    float64
	atLeast bool
}

// within: the target's figure is at most factor times that of against.
func within(target string, factor float64, against string) bar {
	return bar{target: target, factor: factor, against: against}
}

// atLeast: the target's figure is at least factor times that of against.
func atLeast(target string, factor float64, against string) bar {
	return bar{target: target, factor: factor, against: against, atLeast: true}
}

// below: the target's figure is at most limit.
func below(target string, limit float64) bar { return bar{target: target, plus: limit} }

// above: the target's figure is at least limit.
func above(target string, limit float64) bar { return bar{target: target, plus: limit, atLeast: true} }

// and allows plus more.
func (b bar) and(plus float64) bar {
	b.plus = plus
	return b
}

// score is the share of the bar that the row uses, 1 when it is just met and
// more when it is missed; false if something was not measured.
func (b bar) score(r *row) (float64, bool) {
	figure, ok := r.median(b.target)
	if !ok {
		return 0, false
	}
	limit := b.plus
	if b.against != "" {
		other, ok := r.median(b.against)
		if !ok {
			return 0, false
		}
		limit += b.factor * other
	}
	if b.atLeast {
		figure, limit = limit, figure
	}
	if limit <= 0 {
		return 0, false
	}
	return figure / limit, true
}

// limit is the bar in words.
func (b bar) limit(u unit) string {
	sign := "≤"
	if b.atLeast {
		sign = "≥"
	}
	switch {
	case b.against == "":
		return sign + " " + u.format(b.plus)
	case b.factor == 1 && b.plus != 0:
		return fmt.Sprintf("%s %s + %s", sign, b.against, u.format(b.plus))
	case b.factor == 1:
		return sign + " " + b.against
	case b.plus != 0:
		return fmt.Sprintf("%s %g × %s + %s", sign, b.factor, b.against, u.format(b.plus))
	default:
		return fmt.Sprintf("%s %g × %s", sign, b.factor, b.against)
	}
}

// line is the bar, the measured ratio and the verdict in words; "" if
// something was not measured.
func (b bar) line(r *row) string {
	score, ok := b.score(r)
	if !ok {
		return ""
	}
	verdict := "met"
	if score > 1 {
		verdict = "MISSED"
	}
	measured := ""
	if b.against != "" {
		figure, _ := r.median(b.target)
		other, _ := r.median(b.against)
		if other != 0 {
			measured = fmt.Sprintf(" (%.2f)", figure/other)
		}
	}
	return fmt.Sprintf("%s %s%s: %s", b.target, b.limit(r.unit), measured, verdict)
}
