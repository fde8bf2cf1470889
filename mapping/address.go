package mapping

import (
	"encoding/json"
	"path"
	"strings"
)

// Address names an entry as people and other programs do; see ParseAddress.
type Address struct {
	text string
	// path is a shown path, if there is no key.
	path string
	key  string
	// fields is the way into the key's document; with value, the key's own value is meant.
	fields []string
	value  bool
}

// maxAddress is the longest argument: several times what the kernel takes for
// a path, and short enough to be looked at again for each bar in it.
const maxAddress = 16 << 10

// ParseAddress reads the argument of a command. It is one of
//
//   - a path on the mount ("/mnt/ovs/a/config/port"), absolute, at or below
//     mountpoint, which is empty if there is none;
//   - an etcd key at or below prefix ("/ovs/a/config"), which may go on with fields
//     ("/ovs/a/config/port");
//   - a key and a path in its document, as the Open vStorage framework writes
//     them: "/ovs/a/config|section.port". A field with dots in its name, and anything else that
//     the dots do not tell, goes in brackets: `key|["a.b"].c`, `key|list[0]`.
//     The framework's slash at the beginning may be missing;
//   - a key and a pointer (RFC 6901): "/ovs/a/config#/section/port".
//
// The first part is taken as a path on the mount if it can be one. A bar or
// "#/" in the name of a key is told apart by a bar at the end ("key|"), and the
// first "#/" begins the pointer otherwise.
//
// Errors: Invalid.
func ParseAddress(arg, prefix, mountpoint string) (Address, error) {
	a := Address{text: arg}
	if arg == "" {
		return a, Errorf(Invalid, "", "the path is empty: give a path on the mount, or an etcd key under %s", prefix)
	}
	if len(arg) > maxAddress {
		return a, Errorf(Invalid, "", "the path is longer than %d bytes", maxAddress)
	}
	key, err := a.split()
	if err != nil {
		return a, err
	}
	if relative, ok := below(path.Clean(key), mountpoint); ok && mountpoint != "" {
		a.path = relative
		return a, nil
	}
	if key[0] != '/' {
		key = "/" + key
	}
	if len(key) > 1 {
		key = strings.TrimSuffix(key, "/")
	}
	if _, ok := below(key, prefix); !ok {
		if mountpoint != "" {
			return a, Errorf(Invalid, arg, "is neither on the mount %s nor an etcd key under %s", mountpoint, prefix)
		}
		return a, Errorf(Invalid, arg, "is no etcd key under %s, and there is no mount that it is on", prefix)
	}
	a.key = key
	return a, nil
}

// below returns the part of a path below dir.
func below(name, dir string) (relative string, ok bool) {
	if name == dir {
		return "", true
	}
	if !strings.HasPrefix(name, dir+"/") {
		return "", false
	}
	return name[len(dir)+1:], true
}

// split takes the path into the document off the argument.
func (a *Address) split() (key string, err error) {
	arg := a.text
	// A bar within brackets belongs to a name: what is behind it is no path then.
	for i := len(arg); ; {
		if i = strings.LastIndexByte(arg[:i], '|'); i < 0 {
			break
		}
		if fields, ok := parseDots(arg[i+1:]); ok {
			a.fields, a.value = fields, len(fields) == 0
			return a.nonEmpty(arg[:i])
		}
	}
	if strings.Contains(arg, "|") {
		return "", Errorf(Invalid, arg, `what follows the bar is no path such as a.b, a[0] or ["a.b"].c`)
	}
	if i := strings.Index(arg, "#/"); i >= 0 {
		for token := range strings.SplitSeq(arg[i+2:], "/") {
			if strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(token), "~") {
				return "", Errorf(Invalid, arg, "a ~ in a pointer is written ~0, and a slash in a name ~1")
			}
			a.fields = append(a.fields, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
		}
		return a.nonEmpty(arg[:i])
	}
	return arg, nil
}

func (a *Address) nonEmpty(key string) (string, error) {
	if key == "" {
		return "", Errorf(Invalid, a.text, "there is no key before the path into its document")
	}
	return key, nil
}

// parseDots reads a path such as a.b[0]["c.d"]. The empty path is the whole value.
func parseDots(text string) (fields []string, ok bool) {
	for rest := text; rest != ""; {
		if rest[0] == '[' {
			name, after, ok := parseBracket(rest)
			if !ok {
				return nil, false
			}
			fields = append(fields, name)
			if rest = after; rest == "" {
				return fields, true
			}
			if rest[0] == '[' {
				continue
			}
			if rest[0] != '.' || len(rest) == 1 {
				return nil, false
			}
			rest = rest[1:]
			continue
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		name := rest[:end]
		if name == "" || strings.ContainsAny(name, `]"|`) {
			return nil, false
		}
		fields = append(fields, name)
		if rest = rest[end:]; rest != "" && rest[0] == '.' {
			if rest = rest[1:]; rest == "" {
				return nil, false
			}
		}
	}
	return fields, true
}

// parseBracket reads [3] or ["name"], the name being a JSON string.
func parseBracket(text string) (name, rest string, ok bool) {
	if !strings.HasPrefix(text, `["`) {
		end := strings.IndexByte(text, ']')
		if end < 2 || strings.Trim(text[1:end], "0123456789") != "" {
			return "", "", false
		}
		return text[1:end], text[end+1:], true
	}
	decoder := json.NewDecoder(strings.NewReader(text[1:]))
	if decoder.Decode(&name) != nil {
		return "", "", false
	}
	end := 1 + int(decoder.InputOffset())
	if end >= len(text) || text[end] != ']' {
		return "", "", false
	}
	return name, text[end+1:], true
}

// String is the address as it was given.
func (a Address) String() string { return a.text }

// In returns the shown path of the address in a tree, which need not have an
// entry there.
//
// Errors: Invalid, NotFound for a cut name (%~) of nothing.
func (a Address) In(t *Tree) (string, error) {
	at := a.path
	if a.key != "" {
		at, _ = t.PathOf(a.key)
	} else if at != "" {
		for name := range strings.SplitSeq(at, "/") {
			if name == "" || name == "." || name == ".." {
				return "", Errorf(Invalid, a.text, "has a part that is no name of an entry (%q)", name)
			}
		}
	}
	n, _ := t.Lookup(at)
	if a.value && n.IsDir() {
		if _, ok := n.Lookup(valueName); ok {
			return joinPath(at, valueName), nil
		}
	}
	for _, field := range a.fields {
		name := EncodeName(field)
		if isMixed(n) && !n.dir.get(field).empty() {
			name = suffixedName(field, jsonSuffix)
		}
		at = joinPath(at, name)
		n, _ = n.Lookup(name)
	}
	return at, nil
}

// Keys are the keys that decide what the address names, whatever the tree holds: the prefix, that
// of each name on the way, and that which a field is named beside. names, if it is not empty, is the
// directory of a cut name (%~): which key that is, only all those below the directory tell.
func (a Address) Keys(prefix string) (keys []string, names string) {
	keys = []string{prefix}
	add := func(segment string) { keys = append(keys, keys[len(keys)-1]+"/"+segment) }
	if a.key != "" {
		if a.key != prefix {
			for segment := range strings.SplitSeq(a.key[len(prefix)+1:], "/") {
				add(segment)
			}
		}
		if len(a.fields) > 0 {
			add(a.fields[0])
		}
		return keys, ""
	}
	if a.path == "" {
		return keys, ""
	}
	for name := range strings.SplitSeq(a.path, "/") {
		base, _, _ := suffixOf(name)
		segment, ok := decodeName(base)
		if !ok && strings.Contains(base, cutMark) {
			return keys, keys[len(keys)-1]
		}
		if !ok {
			segment = name
		}
		add(segment)
	}
	return keys, ""
}
