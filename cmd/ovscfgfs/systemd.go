package main

import (
	"net"
	"os"
)

// notifySystemd sends a state to the service manager, if one started us
// (sd_notify(3)). A failure changes nothing: the manager then times out.
func notifySystemd(state string) {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}
