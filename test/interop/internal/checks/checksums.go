package checks

import (
	"fmt"

	"flotilla.io/test/interop/internal/body"
)

// checksumAlgorithms are the documented values of checksumAlgorithm; empty means none.
var checksumAlgorithms = []string{"CRC32", "CRC32C", "SHA1", "SHA256", ""}

func checksumName(algorithm string) string {
	if algorithm == "" {
		return "no checksum"
	}
	return algorithm
}

func checksumChecks() []check {
	var checks []check
	for _, algorithm := range checksumAlgorithms {
		checks = append(checks, check{
			title: "objects of one and of many parts are stored and read with " + checksumName(algorithm), only: "aws",
			run: func(t *T) { roundTripsWith(t, algorithm) },
		})
	}
	return append(checks,
		check{title: "a checksum algorithm that does not exist is refused at Init", only: "aws", run: refusesUnknownAlgorithm},
		check{title: "what is stored is the body alone, without the framing of a streamed checksum", run: storesNoFraming},
	)
}

// sizesWith leaves out multipart objects where the target's checksum of them cannot be relied on; with the default
// CRC32 of the full object every target agrees.
func (t *T) sizesWith(algorithm string) []int64 {
	if algorithm == "CRC32" || has(t.objects.capabilities(), []Capability{KeepsPartChecksums}) {
		return []int64{1000, 6 * mib, 20*mib + 3}
	}
	return []int64{1000, mib}
}

func roundTripsWith(t *T, algorithm string) {
	store, _ := t.Store(map[string]string{"checksumAlgorithm": algorithm})
	for index, size := range t.sizesWith(algorithm) {
		want := body.Body{Seed: uint64(index), Size: size}
		key := t.Key(fmt.Sprint(index))
		t.NoError(store.PutObject(t.bucket, key, want.Reader()), fmt.Sprintf("put %d bytes", size))
		t.NoError(readBack(store, t.bucket, key, want), fmt.Sprintf("get %d bytes", size))
	}
}

func refusesUnknownAlgorithm(t *T) {
	t.Fails(t.initError(map[string]string{"checksumAlgorithm": "CRC31"}), "init")
}

func storesNoFraming(t *T) {
	store, _ := t.Store(nil)
	for _, size := range []int64{1, 100 * kib, 12 * mib} {
		t.NoError(store.PutObject(t.bucket, t.Key("object"), body.Body{Size: size}.Reader()), "put")

		header, err := t.around().Head(t.bucket, t.Key("object"))

		t.NoError(err, "head around the plugin")
		if got := header.Get("Content-Length"); got != fmt.Sprint(size) {
			t.Fatalf("%s bytes are stored of %d", got, size)
		}
		if encoding := header.Get("Content-Encoding"); encoding != "" {
			t.Fatalf("Content-Encoding is %q", encoding)
		}
	}
}
