package delayproxy

import (
	"io"
	"net"
	"testing"
	"time"
)

// echo answers every connection with what it gets.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(connection, connection)
				_ = connection.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

func connect(t *testing.T, line Line) net.Conn {
	t.Helper()
	proxy, err := Start(echo(t), line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	connection, err := net.Dial("tcp", proxy.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

func exchange(t *testing.T, connection net.Conn, size int) time.Duration {
	t.Helper()
	started := time.Now()
	go func() { _, _ = connection.Write(make([]byte, size)) }()
	if _, err := io.ReadFull(connection, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	return time.Since(started)
}

// How long an exchange takes at the most depends on the machine: what no line may add is tried without one, by the times
// at which bytes arrive.

func TestNoExchangeIsFasterThanTheLine(t *testing.T) {
	started := time.Now()
	connection := connect(t, Line{RoundTrip: 40 * time.Millisecond, BytesPerSecond: 10 << 20})
	exchange(t, connection, 1)
	if first := time.Since(started); first < 80*time.Millisecond {
		t.Errorf("the connect and the first exchange took %v", first)
	}
	if second := exchange(t, connection, 1); second < 40*time.Millisecond {
		t.Errorf("the second exchange took %v", second)
	}
	if third := exchange(t, connection, 2<<20); third < 240*time.Millisecond {
		t.Errorf("2 MiB at 10 MiB/s took %v", third)
	}
}

func TestDelayDoesNotLimitThroughput(t *testing.T) {
	now := time.Now()
	way := direction{line: Line{RoundTrip: 40 * time.Millisecond}, free: now}
	for range segmentsInFlight {
		if late := way.arrival(now, segmentBytes).Sub(now); late != 20*time.Millisecond {
			t.Fatalf("a segment is late by %v", late)
		}
	}
	if late := way.arrival(now.Add(time.Second), 1).Sub(now); late != 1020*time.Millisecond {
		t.Errorf("a byte that is sent after a second arrives after %v", late)
	}
}

func TestConnectDelaysTheFirstBytesOnly(t *testing.T) {
	now := time.Now()
	way := direction{line: Line{RoundTrip: 40 * time.Millisecond}, free: now.Add(40 * time.Millisecond)}
	if late := way.arrival(now, 1).Sub(now); late != 60*time.Millisecond {
		t.Errorf("the first byte is late by %v", late)
	}
	if late := way.arrival(now.Add(100*time.Millisecond), 1).Sub(now); late != 120*time.Millisecond {
		t.Errorf("a later byte arrives after %v", late)
	}
}

func TestCapHoldsPerDirectionAndIsNotSavedUp(t *testing.T) {
	now := time.Now()
	way := direction{line: Line{BytesPerSecond: 10 << 20}, free: now}
	var last time.Time
	for range 32 {
		last = way.arrival(now, segmentBytes)
	}
	if late := last.Sub(now); late < 199*time.Millisecond || late > 201*time.Millisecond {
		t.Errorf("2 MiB at 10 MiB/s arrive after %v", late)
	}
	if late := way.arrival(now.Add(time.Second), 1<<20).Sub(now); late < 1099*time.Millisecond || late > 1101*time.Millisecond {
		t.Errorf("1 MiB after a pause arrives after %v", late)
	}
}
