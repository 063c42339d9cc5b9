package body

import (
	"bytes"
	"io"
	"testing"
)

type verifiable interface {
	Reader() io.Reader
	Verify(io.Reader) error
}

func bodies(size int64) map[string]verifiable {
	return map[string]verifiable{"seeded": Body{Seed: 7, Size: size}, "cyclic": Cyclic{Offset: 7, Size: size}}
}

func read(t *testing.T, source verifiable) []byte {
	t.Helper()
	content, err := io.ReadAll(source.Reader())
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestDamageIsFound(t *testing.T) {
	const size = 20 << 20
	for name, source := range bodies(size) {
		content := read(t, source)
		changed := bytes.Clone(content)
		changed[size-5] ^= 1
		swapped := append(bytes.Clone(content[8<<20:16<<20]), append(bytes.Clone(content[:8<<20]), content[16<<20:]...)...)
		for damage, damaged := range map[string][]byte{
			"one bit": changed, "parts in a wrong order": swapped, "a short end": content[:size-1], "one byte more": append(bytes.Clone(content), 0),
		} {
			if source.Verify(bytes.NewReader(damaged)) == nil {
				t.Errorf("%s: %s passes", name, damage)
			}
		}
	}
}

func TestWhatIsMadeIsVerified(t *testing.T) {
	for _, size := range []int64{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, blockSize, blockSize + 1, 3 * blockSize} {
		for name, source := range bodies(size) {
			content := read(t, source)
			if int64(len(content)) != size {
				t.Errorf("%s: %d bytes, want %d", name, len(content), size)
			}
			if err := source.Verify(bytes.NewReader(content)); err != nil {
				t.Errorf("%s of %d: %v", name, size, err)
			}
		}
	}
}
