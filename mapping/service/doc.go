// Package service knows where the services of the tree have their
// configuration, and the two keys beside it that change of it goes by:
//
//	DIR/config   what the service reads: one key, or a directory of keys
//	DIR/reload   a counter; one more asks the service to read its configuration
//	DIR/report   the service's answer (Report)
//
// Nothing but configuration is ever in config: the volumedriver parses each
// key that it finds there.
//
// Like package mapping it is pure. Paths are shown paths below the prefix.
package service
