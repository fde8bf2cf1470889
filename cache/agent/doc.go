// Package agent is the side of the tree that acts: it has a program, the
// handler, do what the tree asks for, and writes what came of it.
//
// [Volumes] is the agent of one vrouter's volumes, [Service] that of one
// service. Both are the same in this:
//
//   - What is to be done is decided from what is stored alone (packages volume
//     and service), so that it does not matter what was missed meanwhile.
//   - Of the agents of one name only one acts, by an election in etcd (elect).
//   - Each write compares the keys that it was decided on and the key of the
//     election: who has lost that writes nothing more.
//   - The keys are followed by a cache.Cache, and written by its Commit.
package agent
