package catalogue

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/openvstorage/ovscfgfs/mapping"
)

// Problem is one value that breaks a rule.
type Problem struct {
	// Path is the shown path of the value; of what is missing, the path that it would have.
	Path string `json:"path"`
	// Rule is the name of the rule, from the list in docs/catalogue.md.
	Rule string `json:"rule"`
	// Value is the value as JSON text, cut when long; "(secret)" for a secret; empty when there is none.
	Value string `json:"value,omitempty"`
	// Words say what is wrong and what would be right.
	Words string `json:"words"`
}

// String is the problem in one line.
func (p Problem) String() string { return p.Path + ": " + p.Brief() }

// Brief is the problem in one line, without its path.
func (p Problem) Brief() string {
	if p.Value == "" {
		return p.Words + " [" + p.Rule + "]"
	}
	return p.Value + " " + p.Words + " [" + p.Rule + "]"
}

// sorted orders problems by path and rule, and drops repetitions.
func sorted(list []Problem) []Problem {
	slices.SortFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Words, b.Words))
	})
	return slices.Compact(list)
}

// maxShown is how much of a value a problem shows.
const maxShown = 120

const hidden = "(secret)"

// shown is a decoded value as a problem shows it.
func shown(v any) string {
	var text string
	switch v := v.(type) {
	case nil:
		return "null"
	case json.Number:
		text = v.String()
	case map[string]any:
		return "an object of " + count(len(v), "field")
	case []any:
		return "an array of " + count(len(v), "element")
	case string:
		text = quoted(v)
	case bool:
		text = strconv.FormatBool(v)
	}
	if len(text) <= maxShown {
		return text
	}
	cut := maxShown
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

func quoted(s string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		return strconv.Quote(s)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// problem makes a Problem, and hides what must not be read by all.
func (c *Catalogue) problem(path, rule string, value any, words string) Problem {
	p := Problem{Path: path, Rule: rule, Value: shown(value), Words: words}
	if c.secret(path, value) {
		p.Value = hidden
	}
	return p
}

// missing is a Problem of something that is not there.
func missing(path, rule, words string) Problem {
	return Problem{Path: path, Rule: rule, Words: words}
}

func (c *Catalogue) secret(path string, value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false // only their size is shown
	}
	if e, ok := c.Entry(path); ok && e.Secret {
		return true
	}
	text, _ := value.(string)
	return mapping.Secret(path[strings.LastIndexByte(path, '/')+1:], []byte(text))
}

// join appends names, not yet encoded, to a shown path.
func join(path string, names ...string) string {
	for _, name := range names {
		if path != "" {
			path += "/"
		}
		path += mapping.EncodeName(name)
	}
	return path
}
