package main

import (
	"fmt"
	"math"
)

// unit says what a row's figures are.
type unit uint8

const (
	seconds   unit = iota // durations
	perSecond             // rates
	bytes                 // amounts of memory
	perLeaf               // bytes for each leaf
	count                 // plain numbers
)

// format writes a figure with its unit, in three digits.
func (u unit) format(f float64) string {
	switch u {
	case seconds:
		switch a := math.Abs(f); {
		case a >= 1:
			return digits(f) + " s"
		case a >= 1e-3:
			return digits(f*1e3) + " ms"
		default:
			return digits(f*1e6) + " µs"
		}
	case perSecond:
		return thousands(f) + "/s"
	case bytes:
		return digits(f/(1<<20)) + " MiB"
	case perLeaf:
		return digits(f) + " B"
	default:
		return digits(f)
	}
}

// digits writes f with three significant digits and no exponent.
func digits(f float64) string {
	switch a := math.Abs(f); {
	case a >= 100:
		return fmt.Sprintf("%.0f", f)
	case a >= 10:
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.2f", f)
	}
}

// thousands writes f as a whole number in groups of three, rounded to three
// significant digits.
func thousands(f float64) string {
	if f >= 1000 {
		scale := math.Pow(10, math.Floor(math.Log10(f))-2)
		f = math.Round(f/scale) * scale
	}
	text := fmt.Sprintf("%.0f", f)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
