package checks

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
)

const (
	kib = int64(1) << 10
	mib = int64(1) << 20
)

func bodyChecks() []check {
	checks := []check{
		{title: "an object that is written twice has the second body", run: overwrites},
		{title: "eight puts and then eight gets at once keep their bodies apart", run: runsConcurrently},
		{title: "puts and gets at once in one process do not disturb each other", run: mixesPutsAndGets},
		{title: "a gzip file passes unchanged", run: passesGzip},
		{title: "keys with spaces, signs, percent and letters beyond ASCII come back as they were", run: keepsOddKeys},
		{title: "a body of no bytes is refused, since the server then sends no key, and stores nothing", run: refusesEmptyBody},
	}
	sizes := map[string]int64{
		"1 B": 1, "16 KiB - 1 B": 16*kib - 1, "16 KiB": 16 * kib, "16 KiB + 1 B": 16*kib + 1, "1 MiB": mib,
		"5 MiB": 5 * mib, "5 MiB + 1 B": 5*mib + 1, "8 MiB + 1 B": 8*mib + 1, "16 MiB": 16 * mib, "64 MiB": 64 * mib,
	}
	for _, name := range sortedBySize(sizes) {
		size := sizes[name]
		checks = append(checks, check{
			title: "an object of " + name + " comes back byte by byte",
			run:   func(t *T) { roundTrips(t, size) },
		})
	}
	return checks
}

func roundTrips(t *T, size int64) {
	store, _ := t.Store(nil)
	want := body.Body{Seed: uint64(size), Size: size}

	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")

	exists, err := store.ObjectExists(t.bucket, t.Key("object"))
	t.NoError(err, "exists")
	if !exists {
		t.Fatalf("the object is said to be absent")
	}
	stored, err := t.around().Get(t.bucket, t.Key("object"))
	t.NoError(err, "get around the plugin")
	t.NoError(want.Verify(bytes.NewReader(stored)), "what the server stored")
}

func readBack(store velero.ObjectStore, bucket, key string, want body.Body) error {
	reader, err := store.GetObject(bucket, key)
	if err != nil {
		return err
	}
	return errors.Join(want.Verify(reader), reader.Close())
}

func overwrites(t *T) {
	store, _ := t.Store(nil)
	first, second := body.Body{Seed: 1, Size: 6 * mib}, body.Body{Seed: 2, Size: 100 * kib}

	t.NoError(store.PutObject(t.bucket, t.Key("object"), first.Reader()), "put")
	t.NoError(store.PutObject(t.bucket, t.Key("object"), second.Reader()), "put again")

	t.NoError(readBack(store, t.bucket, t.Key("object"), second), "get")
}

func runsConcurrently(t *T) {
	store, _ := t.Store(nil)
	const count = 8
	bodyOf := func(index int) body.Body { return body.Body{Seed: uint64(100 + index), Size: int64(index)*2*mib + 7} }
	keyOf := func(index int) string { return t.Key(fmt.Sprintf("object-%d", index)) }

	t.NoError(atOnce(count, func(index int) error {
		return store.PutObject(t.bucket, keyOf(index), bodyOf(index).Reader())
	}), "puts")
	t.NoError(atOnce(count, func(index int) error {
		return readBack(store, t.bucket, keyOf(index), bodyOf(index))
	}), "gets")
}

func mixesPutsAndGets(t *T) {
	store, _ := t.Store(nil)
	want := body.Body{Seed: 5, Size: 10*mib + 1}
	t.NoError(store.PutObject(t.bucket, t.Key("read"), want.Reader()), "put")

	t.NoError(atOnce(6, func(index int) error {
		if index%2 == 0 {
			return readBack(store, t.bucket, t.Key("read"), want)
		}
		key, own := t.Key(fmt.Sprintf("written-%d", index)), body.Body{Seed: uint64(index), Size: 6*mib + int64(index)}
		if err := store.PutObject(t.bucket, key, own.Reader()); err != nil {
			return err
		}
		return readBack(store, t.bucket, key, own)
	}), "puts and gets")
}

func passesGzip(t *T) {
	store, _ := t.Store(nil)
	archive := gzipped(6 * mib)

	t.NoError(store.PutObject(t.bucket, t.Key("backup.tar.gz"), bytes.NewReader(archive)), "put")

	t.NoError(sameBytes(store, t.bucket, t.Key("backup.tar.gz"), archive), "get")
}

func keepsOddKeys(t *T) {
	store, _ := t.Store(nil)
	for _, name := range []string{"a b", "a+b", "100%", "a%20b", "plus+and space", "é-ü-日本", "a&b=c", "(x)*'!~", "semi;colon,comma", "at@colon:"} {
		want := body.Body{Seed: uint64(len(name)), Size: 100}
		t.NoError(store.PutObject(t.bucket, t.Key(name), want.Reader()), "put "+name)
		t.NoError(readBack(store, t.bucket, t.Key(name), want), "get "+name)

		keys, err := store.ListObjects(t.bucket, t.Key(name))
		t.NoError(err, "list "+name)
		if len(keys) != 1 || keys[0] != t.Key(name) {
			t.Fatalf("listed %q, want %q", keys, t.Key(name))
		}
		t.NoError(store.DeleteObject(t.bucket, t.Key(name)), "delete "+name)
	}
}

func refusesEmptyBody(t *T) {
	store, _ := t.Store(nil)

	t.Fails(store.PutObject(t.bucket, t.Key("empty"), bytes.NewReader(nil)), "put of no bytes")

	exists, err := store.ObjectExists(t.bucket, t.Key("empty"))
	t.NoError(err, "exists")
	if exists {
		t.Fatalf("an object was stored")
	}
}
