package catalogue

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The schema library works with exact numbers, for which 1e999999 has a million
// digits. Beyond these a number's size is all that matters: no bound of the
// file is near.
const (
	maxExponent = 400
	maxDigits   = 1000
)

// tame returns the value with every number of absurd size or length replaced by
// one on the same side of every bound.
func tame(value any) any {
	if !absurd(value) {
		return value
	}
	switch v := value.(type) {
	case map[string]any:
		tamed := make(map[string]any, len(v))
		for name, item := range v {
			tamed[name] = tame(item)
		}
		return tamed
	case []any:
		tamed := make([]any, len(v))
		for i, item := range v {
			tamed[i] = tame(item)
		}
		return tamed
	case json.Number:
		return tameNumber(v.String())
	}
	return value
}

// absurd reports whether a value has such a number.
func absurd(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, item := range v {
			if absurd(item) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if absurd(item) {
				return true
			}
		}
	case json.Number:
		text := v.String()
		if len(text) > maxDigits {
			return true
		}
		if at := strings.IndexAny(text, "eE"); at >= 0 {
			exponent, err := strconv.Atoi(text[at+1:])
			return err != nil || exponent > maxExponent || exponent < -maxExponent
		}
	}
	return false
}

func tameNumber(text string) json.Number {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	mantissa, exponent := text, ""
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa, exponent = text[:at], text[at+1:]
	}
	whole, _, _ := strings.Cut(mantissa, ".")
	switch {
	case strings.Trim(mantissa, "0.") == "":
		return "0"
	case strings.HasPrefix(exponent, "-"), exponent == "" && len(whole) <= maxExponent:
		if exponent == "" {
			mantissa = mantissa[:min(len(mantissa), maxDigits)]
			if strings.Trim(mantissa, "0.") != "" {
				return json.Number(sign + mantissa)
			}
		}
		return json.Number(sign + "1e-" + strconv.Itoa(maxExponent))
	}
	return json.Number(sign + "1e" + strconv.Itoa(maxExponent))
}
