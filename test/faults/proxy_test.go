package faults_test

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/openvstorage/ovscfgfs/test/faults"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers each line with name and the line, until the test ends.
func echo(t *testing.T, name string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				for lines := bufio.NewScanner(c); lines.Scan(); {
					_, _ = io.WriteString(c, name+lines.Text()+"\n")
				}
			})
		}
	})
	return l.Addr().String()
}

// conn is a client's connection through the proxy.
type conn struct {
	net.Conn
	t     *testing.T
	lines *bufio.Reader
}

func dial(t *testing.T, p *faults.Proxy) *conn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &conn{c, t, bufio.NewReader(c)}
}

func (c *conn) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *conn) want(line string) {
	c.t.Helper()
	if got, err := c.lines.ReadString('\n'); err != nil || got != line+"\n" {
		c.t.Fatalf("got %q, %v; want %q", got, err, line)
	}
}

func (c *conn) wantBroken() {
	c.t.Helper()
	if got, err := c.lines.ReadString('\n'); err == nil {
		c.t.Fatalf("got %q from a connection that should be broken", got)
	}
}

func TestProxy(t *testing.T) {
	p, err := faults.NewProxy(echo(t, "one "))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()

	c := dial(t, p)
	c.send("passes")
	c.want("one passes")

	for _, hold := range []struct{ begin, await func() }{
		{p.HoldAnswers, p.AwaitHeld},
		{p.HoldRequests, p.AwaitHeldRequests},
		{p.Stall, p.AwaitHeldRequests},
	} {
		hold.begin()
		c.send("held")
		hold.await()
		p.Heal()
		c.want("one held")
	}

	p.HoldAnswers()
	c.send("lost")
	p.AwaitHeld()
	p.Break()
	c.wantBroken()
	p.Heal()

	p.Cut()
	dial(t, p).wantBroken()
	p.Heal()
	c = dial(t, p)
	c.send("again")
	c.want("one again")

	p.SetTarget(echo(t, "two "))
	c.wantBroken()
	c = dial(t, p)
	c.send("elsewhere")
	c.want("two elsewhere")
	p.Stall()
	c.send("never arrives")
	p.AwaitHeldRequests()
}
