// Package mapping says how keys and values are shown as directories and files,
// and what a change to a file means for the keys. It is pure: it knows no etcd,
// no kernel, no clock and no disk.
//
// # The tree
//
// A Tree holds every key under one prefix at one revision. It is immutable:
// Apply answers with another tree, which shares all that the changes left
// alone, so any number of readers may use any number of revisions without a
// lock. A Node is one shown entry of a tree: a directory of keys, a value, or a
// field within a JSON value.
//
//	key /ovs/a          = {"port": 26203, "ips": ["10.0.0.1"]}
//	key /ovs/a/notes    = "two words"
//
//	a/                    the key and the directory, together
//	a/notes               "two words\n"       a key
//	a/port                "26203\n"           a field
//	a/ips/0               "10.0.0.1\n"        an element
//
// # Names
//
// EncodeName and DecodeName are exact inverses of each other. All paths of this
// package are shown paths: encoded names joined by slashes, without a leading
// one; "" is the root.
//
// # Edits
//
// An Edit is a function from a tree to a Plan: the puts, deletes and compares
// of one transaction. It has no side effects, so that a commit which met a
// foreign change may run it again on the newer tree. What an edit does not
// name keeps its bytes: the rest of a document, its order, spacing, spelling of
// numbers, duplicate names and even bytes that are no UTF-8.
//
// # Views
//
// A directory can be read and written whole, as JSON, YAML or lines (Render,
// WriteView). A view is computed from the tree and planned back into it, so it
// never disagrees with the files.
package mapping
