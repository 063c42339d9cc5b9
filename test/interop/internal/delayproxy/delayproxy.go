// Package delayproxy puts distance between a client and a server: each direction of each connection is late by
// half a round trip and no faster than a cap, while everything that is on its way overlaps as on a real line.
package delayproxy

import (
	"net"
	"sync"
	"time"
)

// Line describes the distance.
type Line struct {
	RoundTrip time.Duration
	// BytesPerSecond caps each direction of each connection; 0 means no cap.
	BytesPerSecond float64
}

const (
	segmentBytes = 64 << 10
	// segmentsInFlight bounds what one direction holds: 16 MiB is 1.6 GB/s over 10 ms, far above what is measured.
	segmentsInFlight = 256
)

// Proxy is a running proxy.
type Proxy struct {
	Address  string
	target   string
	line     Line
	listener net.Listener
	lock     sync.Mutex
	open     map[net.Conn]struct{}
}

// Start listens on a loopback port and passes connections on to target, a host and port.
func Start(target string, line Line) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	proxy := &Proxy{Address: listener.Addr().String(), target: target, line: line, listener: listener, open: map[net.Conn]struct{}{}}
	go proxy.accept()
	return proxy, nil
}

// Close stops listening and drops every connection.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.lock.Lock()
	defer p.lock.Unlock()
	for connection := range p.open {
		_ = connection.Close()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.track(client, server)
	defer p.forget(client, server)

	// The kernel has accepted already; what a connect over the line would have cost delays the first bytes instead.
	connected := time.Now().Add(p.line.RoundTrip)
	var directions sync.WaitGroup
	directions.Add(2)
	go func() { defer directions.Done(); p.carry(client, server, connected) }()
	go func() { defer directions.Done(); p.carry(server, client, connected) }()
	directions.Wait()
}

func (p *Proxy) track(connections ...net.Conn) {
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, connection := range connections {
		p.open[connection] = struct{}{}
	}
}

func (p *Proxy) forget(connections ...net.Conn) {
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, connection := range connections {
		delete(p.open, connection)
	}
}

type segment struct {
	content []byte
	due     time.Time
}

// direction tells when what is sent one way arrives at the far end.
type direction struct {
	line Line
	// free is when the line can take the next byte.
	free time.Time
}

// arrival is when the last of n bytes arrives that are sent now, behind all that were sent before.
func (d *direction) arrival(now time.Time, n int) time.Time {
	if d.free.Before(now) {
		d.free = now
	}
	if d.line.BytesPerSecond > 0 {
		d.free = d.free.Add(time.Duration(float64(n) / d.line.BytesPerSecond * float64(time.Second)))
	}
	return d.free.Add(d.line.RoundTrip / 2)
}

var segmentPool = sync.Pool{New: func() any { return make([]byte, segmentBytes) }}

// carry passes one direction on: a reader stamps each segment with the time of its arrival at the far end, and a
// writer lets it arrive then.
func (p *Proxy) carry(from, to net.Conn, connected time.Time) {
	flight := make(chan segment, segmentsInFlight)
	go func() {
		defer close(flight)
		way := direction{line: p.line, free: connected}
		for {
			buffer := segmentPool.Get().([]byte)
			n, err := from.Read(buffer)
			if n > 0 {
				flight <- segment{content: buffer[:n], due: way.arrival(time.Now(), n)}
			}
			if err != nil {
				return
			}
		}
	}()
	for arriving := range flight {
		time.Sleep(time.Until(arriving.due))
		_, err := to.Write(arriving.content)
		segmentPool.Put(arriving.content[:segmentBytes])
		if err != nil {
			// The reader ends when its connection does; let go of what it still sends.
			_ = from.Close()
			for range flight {
			}
			return
		}
	}
	closeWriting(to)
}

// closeWriting passes the end of one direction on and leaves the other open.
func closeWriting(connection net.Conn) {
	if half, canHalfClose := connection.(*net.TCPConn); canHalfClose {
		_ = half.CloseWrite()
	}
}
