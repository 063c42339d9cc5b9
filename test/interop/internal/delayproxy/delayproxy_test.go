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

func TestFirstExchangePaysForConnectAndEachLaterOneForOneRoundTrip(t *testing.T) {
	connection := connect(t, Line{RoundTrip: 40 * time.Millisecond})
	if first := exchange(t, connection, 1); first < 80*time.Millisecond {
		t.Errorf("the first exchange took %v", first)
	}
	if second := exchange(t, connection, 1); second < 40*time.Millisecond || second > 75*time.Millisecond {
		t.Errorf("the second exchange took %v", second)
	}
}

func TestDelayDoesNotLimitThroughput(t *testing.T) {
	connection := connect(t, Line{RoundTrip: 40 * time.Millisecond})
	exchange(t, connection, 1)
	// In lockstep 64 segments of 64 KiB would take 64 round trips.
	if took := exchange(t, connection, 4<<20); took > 500*time.Millisecond {
		t.Errorf("4 MiB took %v", took)
	}
}

func TestCapHoldsPerDirection(t *testing.T) {
	connection := connect(t, Line{BytesPerSecond: 10 << 20})
	took := exchange(t, connection, 2<<20)
	if took < 200*time.Millisecond || took > 600*time.Millisecond {
		t.Errorf("2 MiB at 10 MiB/s took %v", took)
	}
}
