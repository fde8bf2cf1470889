// Package events holds the end-to-end tests of what watchers of a mount hear of
// changes made elsewhere: with the programs that people watch files with, under
// load, and when the daemon or its helper process dies.
package events
