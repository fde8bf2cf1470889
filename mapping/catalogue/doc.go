// Package catalogue knows what the services of Open vStorage expect in the
// tree: which paths are documents and which are raw, the JSON Schema of each
// document, which parameters a running service takes, what refers to what and
// what is a secret. One embedded file says so, catalogue.yaml; docs/catalogue.md
// tells how it is written and lists the rules of Check.
//
// Like package mapping it is pure. Paths are shown paths below the prefix.
package catalogue
