// Package drafts keeps, on one node, values that are not to be in etcd yet.
//
// A [Store] lies over another one, whose tree it shows with the drafts put into
// it. So all that reads and edits a tree reads and edits drafts, and knows nothing of
// them. There are two kinds:
//
//   - a draft is the value of a key that is not in etcd. It is stored by the commit that
//     makes it whole;
//   - a held change is a value that takes something away which the key cannot be
//     without. It is followed by the removal of the key, or by what makes it whole
//     again. If neither comes it is forgotten, and so it is when the key is changed elsewhere.
//
// What is whole, what else must hold and what a commit has to write besides is said by
// [Rules].
//
// # Locks
//
// Store.turn is held by the one commit that concerns drafts, across calls of the
// inner store. Store.mu guards the state; nothing is waited for while it is held, so
// that Published may take it under the inner store's lock.
package drafts
