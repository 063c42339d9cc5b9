// Package body makes incompressible bodies from a seed, so that whoever knows seed and size can verify an
// object of any length without holding it.
package body

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
)

// Body is a byte sequence of a given length.
type Body struct {
	Seed uint64
	Size int64
}

// Reader returns the bytes from the start.
func (b Body) Reader() io.Reader {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], b.Seed)
	return io.LimitReader(rand.NewChaCha8(seed), b.Size)
}

// Bytes returns the body whole.
func (b Body) Bytes() []byte {
	content := make([]byte, b.Size)
	// A ChaCha8 source never fails and the limit is the length of the buffer.
	_, _ = io.ReadFull(b.Reader(), content)
	return content
}

// Verify reads to the end and reports the first difference.
func (b Body) Verify(got io.Reader) error {
	const window = 256 << 10
	want := bufio.NewReaderSize(b.Reader(), window)
	gotWindow, wantWindow := make([]byte, window), make([]byte, window)
	var position int64
	for {
		n, err := io.ReadFull(got, gotWindow)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("after %d of %d bytes: %w", position+int64(n), b.Size, err)
		}
		if position+int64(n) > b.Size {
			return fmt.Errorf("more than the %d bytes that were written", b.Size)
		}
		if _, err := io.ReadFull(want, wantWindow[:n]); err != nil {
			return err
		}
		if !bytes.Equal(gotWindow[:n], wantWindow[:n]) {
			return fmt.Errorf("other bytes between %d and %d", position, position+int64(n))
		}
		position += int64(n)
		if n < window {
			break
		}
	}
	if position != b.Size {
		return fmt.Errorf("%d bytes of %d", position, b.Size)
	}
	return nil
}
