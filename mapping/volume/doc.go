// Package volume is the declarative lifecycle of volumes: what the keys below
// vpool/P mean to each other, and what a change of them asks of the agent that
// serves them.
//
//	vpool/P/volumes/V/config   the volume as its owner wants it (Config)
//	vpool/P/lifecycle/V        the newest request, written with the change itself (Request)
//	vpool/P/status/V           the agent's answer (Status)
//
// Like package mapping it is pure. Keys are relative to the prefix.
package volume
