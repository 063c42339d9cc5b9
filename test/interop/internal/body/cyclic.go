package body

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// Cyclic is an incompressible body that costs next to no time to make and to verify: one random block over and
// over. The block's length is a prime above 16 MiB, so that parts in a wrong order or place never look right.
type Cyclic struct {
	// Offset is where in the block the body starts; bodies with different offsets differ.
	Offset int64
	Size   int64
}

const blockSize = 16_777_259

var block = sync.OnceValue(func() []byte { return Body{Seed: 1, Size: blockSize}.Bytes() })

// Reader returns the bytes from the start.
func (c Cyclic) Reader() io.Reader { return &cyclicReader{body: c} }

type cyclicReader struct {
	body     Cyclic
	position int64
}

func (r *cyclicReader) Read(into []byte) (int, error) {
	left := r.body.Size - r.position
	if left == 0 {
		return 0, io.EOF
	}
	n := copy(into[:min(int64(len(into)), left)], r.body.next(r.position))
	r.position += int64(n)
	return n, nil
}

// next returns bytes from a position up to the end of the block.
func (c Cyclic) next(position int64) []byte {
	return block()[(c.Offset+position)%blockSize:]
}

// Verify reads to the end and reports the first difference.
func (c Cyclic) Verify(got io.Reader) error {
	window := make([]byte, 256<<10)
	var position int64
	for {
		n, err := io.ReadFull(got, window)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		for rest := window[:n]; len(rest) > 0; {
			want := c.next(position)
			length := min(len(rest), len(want))
			if !bytes.Equal(rest[:length], want[:length]) {
				return fmt.Errorf("other bytes at %d", position)
			}
			rest, position = rest[length:], position+int64(length)
		}
		if n < len(window) {
			break
		}
	}
	if position != c.Size {
		return fmt.Errorf("%d bytes of %d", position, c.Size)
	}
	return nil
}
