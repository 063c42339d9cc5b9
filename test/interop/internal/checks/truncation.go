package checks

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"

	"flotilla.io/test/interop/internal/body"
)

func storedAsWhole(shows string) faults {
	known := fault{reason: "what arrived before the server's reader failed is stored as if it were whole", shows: shows}
	return faults{"aws": known, "gcp": known}
}

func truncationChecks() []check {
	return []check{
		{
			title: "a short gzip file whose reading failed half-way is not stored", faults: storedAsWhole("an object is visible"),
			run: func(t *T) { refusesTruncated(t, 200*kib) },
		},
		{
			title: "a long gzip file whose reading failed half-way is not stored, and its parts are given back", faults: storedAsWhole("an object is visible"),
			run: func(t *T) { refusesTruncated(t, 24*mib) },
		},
		{title: "a truncated gzip file does not replace the good one of before", faults: storedAsWhole("bytes that differ"), run: keepsTheGoodOne},
		{title: "reading that fails before the first byte stores nothing", run: storesNothingOfNothing},
	}
}

var errReader = errors.New("the server's disk failed")

func failingAfter(content []byte) io.Reader {
	return io.MultiReader(bytes.NewReader(content), failingReader{})
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errReader }

// settleTime is how long a wrong commit gets to show: the server's client returns before the plugin is done.
const settleTime = 2 * time.Second

func refusesTruncated(t *T, size int64) {
	t.countedAllowed = true
	store, _ := t.Store(nil)
	archive := gzipped(size)

	err := store.PutObject(t.bucket, t.Key("backup.tar.gz"), failingAfter(archive[:len(archive)/2]))

	if !errors.Is(err, errReader) {
		t.Fatalf("put returned %v, not the reader's error", err)
	}
	staysAbsent(t, t.Key("backup.tar.gz"))
	if has(t.objects.capabilities(), []Capability{ListsUploads}) {
		t.NoError(eventually(patience, func() error { return t.noUploadOf(t.Key("backup.tar.gz")) }), "after the put")
	}
}

func (t *T) noUploadOf(key string) error {
	uploads, err := t.cloudS3().Uploads(t.bucket)
	if err != nil {
		return err
	}
	if slices.Contains(uploads, key) {
		return errors.New("its multipart upload was not aborted")
	}
	return nil
}

func staysAbsent(t *T, key string) {
	for deadline := time.Now().Add(settleTime); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		exists, err := t.around().Exists(t.bucket, key)
		t.NoError(err, "head around the plugin")
		if exists {
			t.Fatalf("an object is visible")
		}
	}
}

func keepsTheGoodOne(t *T) {
	t.countedAllowed = true
	store, _ := t.Store(nil)
	good := gzipped(300 * kib)
	t.NoError(store.PutObject(t.bucket, t.Key("a.gz"), bytes.NewReader(good)), "put")

	_ = store.PutObject(t.bucket, t.Key("a.gz"), failingAfter(gzipped(400 * kib)[:100*kib]))
	time.Sleep(settleTime)

	t.NoError(sameBytes(store, t.bucket, t.Key("a.gz"), good), "get")
}

func storesNothingOfNothing(t *T) {
	store, _ := t.Store(nil)

	t.Fails(store.PutObject(t.bucket, t.Key("object"), failingAfter(nil)), "put")

	staysAbsent(t, t.Key("object"))
	want := body.Body{Seed: 51, Size: 1000}
	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "the next put")
}
