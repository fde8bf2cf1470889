// Package program runs the programs that agents have do the work, so that
// nothing of them outlives its run.
package program
