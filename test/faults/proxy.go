// Package faults makes the network between a client and a server misbehave, for
// tests.
package faults

import (
	"io"
	"net"
	"sync"
)

// Proxy is a TCP proxy that can be cut, stalled and pointed at another server.
// Its methods may be called concurrently. A new proxy passes everything on.
type Proxy struct {
	listener net.Listener
	wg       sync.WaitGroup

	// mu guards what follows; gate wakes those who wait for a change of it.
	mu      sync.Mutex
	gate    *sync.Cond
	target  string
	cut     bool
	held    [2]bool // by direction
	closed  bool
	conns   map[*pair]struct{}
	blocked [2]int // goroutines that hold bytes back, by direction
}

// The directions that bytes flow in.
const (
	requests = iota // from the client to the server
	answers         // from the server to the client
)

// pair is one connection of a client with the one made for it to the server.
type pair struct {
	client, server net.Conn
	dead           bool // guarded by Proxy.mu
}

func (p *pair) close() {
	p.dead = true
	p.client.Close()
	p.server.Close()
}

// NewProxy listens on a free port of 127.0.0.1 and passes on what arrives to
// target, a host:port.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, conns: map[*pair]struct{}{}}
	p.gate = sync.NewCond(&p.mu)
	p.wg.Add(1)
	go p.accept()
	return p, nil
}

// Addr returns the host:port that clients connect to. It stays the same.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut breaks all connections, with what they hold back, and refuses new ones until Heal.
func (p *Proxy) Cut() {
	p.set(func() {
		p.cut = true
		p.breakAll()
	})
}

// Break breaks all connections, with what they hold back; new ones are made as before.
func (p *Proxy) Break() { p.set(p.breakAll) }

// HoldRequests keeps back what clients send from now on.
func (p *Proxy) HoldRequests() { p.set(func() { p.held[requests] = true }) }

// HoldAnswers keeps back what the server sends from now on: requests arrive
// and are carried out, and nobody learns of it.
func (p *Proxy) HoldAnswers() { p.set(func() { p.held[answers] = true }) }

// Stall keeps back everything, without breaking a connection: a black hole.
func (p *Proxy) Stall() { p.set(func() { p.held = [2]bool{true, true} }) }

// Heal passes on everything again, first what was kept back.
func (p *Proxy) Heal() {
	p.set(func() {
		p.cut = false
		p.held = [2]bool{}
	})
}

// SetTarget sends new connections to another server and breaks those there are.
func (p *Proxy) SetTarget(target string) {
	p.set(func() {
		p.target = target
		p.breakAll()
	})
}

// AwaitHeld returns when bytes of the server are being held back, or nothing is to be held.
func (p *Proxy) AwaitHeld() { p.await(answers) }

// AwaitHeldRequests returns when bytes of a client are being held back, or nothing is to be held.
func (p *Proxy) AwaitHeldRequests() { p.await(requests) }

func (p *Proxy) await(direction int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.held[direction] && p.blocked[direction] == 0 && !p.closed {
		p.gate.Wait()
	}
}

// Close ends the proxy and returns when its goroutines are gone.
func (p *Proxy) Close() {
	p.listener.Close()
	p.set(func() {
		p.closed = true
		p.breakAll()
	})
	p.wg.Wait()
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.gate.Broadcast()
}

func (p *Proxy) breakAll() {
	for c := range p.conns {
		c.close()
		delete(p.conns, c)
	}
}

func (p *Proxy) accept() {
	defer p.wg.Done()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target, refuse := p.target, p.cut || p.closed
		p.mu.Unlock()
		if refuse {
			client.Close()
			continue
		}
		server, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			continue
		}
		c := &pair{client: client, server: server}
		p.mu.Lock()
		if p.cut || p.closed || p.target != target {
			c.close()
			p.mu.Unlock()
			continue
		}
		p.conns[c] = struct{}{}
		p.mu.Unlock()
		p.wg.Add(2)
		go p.pass(c, requests)
		go p.pass(c, answers)
	}
}

// pass copies one direction of a connection until it breaks.
func (p *Proxy) pass(c *pair, direction int) {
	defer p.wg.Done()
	from, to := c.client, c.server
	if direction == answers {
		from, to = to, from
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && (!p.hold(c, direction) || !write(to, buffer[:n])) {
			break
		}
		if err != nil {
			break
		}
	}
	p.mu.Lock()
	c.close()
	delete(p.conns, c)
	p.gate.Broadcast()
	p.mu.Unlock()
}

// hold waits while the direction is held and reports whether the connection still is.
func (p *Proxy) hold(c *pair, direction int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blocked[direction]++
	for p.held[direction] && !c.dead && !p.closed {
		p.gate.Broadcast()
		p.gate.Wait()
	}
	p.blocked[direction]--
	return !c.dead && !p.closed
}

func write(to io.Writer, b []byte) bool {
	_, err := to.Write(b)
	return err == nil
}
