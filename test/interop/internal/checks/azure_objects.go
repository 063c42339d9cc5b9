package checks

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/veleroserver"
)

// officialBlockBytes is the block size of the official plugin where a location names none.
const officialBlockBytes = int(mib)

func azureObjectChecks() []check {
	checks := []check{
		{title: "a signed URL is for https, for reading, from ten minutes ago for as long as the server asked", only: "azure", run: signsAsTheOfficial},
		{title: "a signed URL made over plain http opens nothing over plain http", only: "azure", needs: []Capability{Authenticates}, run: signsForHTTPSOnly},
		{title: "blocks without any hash, as the official plugin writes them, are read and said to be unverified", only: "azure", run: readsUnhashedBlocks},
		{title: "an object of the official plugin's blocks is overwritten", only: "azure", run: replacesUnhashedBlocks},
		{title: "uncommitted blocks of an upload of the official plugin that was interrupted do not hinder a put", only: "azure", run: putsBesideUncommittedBlocks},
		{title: "what is stored carries the MD5 of the whole", only: "azure", run: storesMD5},
	}
	for _, size := range []string{"1", "100000", "1048577", "104857600", "999999999", "none"} {
		checks = append(checks, check{
			title: "a location with blockSizeInBytes " + size + " stores and reads", only: "azure",
			run: func(t *T) { takesBlockSize(t, size) },
		})
	}
	return checks
}

func signsAsTheOfficial(t *T) {
	address, err := url.Parse(t.sign(map[string]string{}, body.Body{Size: 10}))
	t.NoError(err, "parse")
	query := address.Query()
	if query.Get("spr") != "https" || query.Get("sp") != "r" || query.Get("sr") != "b" {
		t.Fatalf("spr=%s sp=%s sr=%s", query.Get("spr"), query.Get("sp"), query.Get("sr"))
	}
	for name, want := range map[string]time.Duration{"st": -10 * time.Minute, "se": 10 * time.Minute} {
		at, err := time.Parse(time.RFC3339, query.Get(name))
		t.NoError(err, "parse "+name)
		if off := time.Until(at) - want; off.Abs() > time.Minute {
			t.Fatalf("%s is %v from now", name, time.Until(at))
		}
	}
}

func signsForHTTPSOnly(t *T) {
	store, _ := t.Store(nil)
	t.NoError(store.PutObject(t.bucket, t.Key("object"), body.Body{Size: 10}.Reader()), "put")
	address, err := store.CreateSignedURL(t.bucket, t.Key("object"), time.Minute)
	t.NoError(err, "sign")

	response, err := http.Get(address)

	t.NoError(err, "fetch")
	defer response.Body.Close()
	if !strings.HasPrefix(address, "http:") || response.StatusCode != http.StatusForbidden {
		t.Fatalf("%.5s was answered %d", address, response.StatusCode)
	}
}

func readsUnhashedBlocks(t *T) {
	for index, size := range []int64{10, mib, 5*mib + 7, 20 * mib} {
		want := body.Body{Seed: uint64(90 + index), Size: size}
		key := t.Key(fmt.Sprint(index))
		t.NoError(t.blob.of(t.blob.target.Main).PutBlocks(t.bucket, key, want.Bytes(), officialBlockBytes), "put as the official plugin does")
		store, session := t.Store(nil)
		t.NoError(readBack(store, t.bucket, key, want), fmt.Sprintf("get %d bytes", size))
		if has(t.objects.capabilities(), []Capability{TellsKeptHashes}) {
			isUnverified := func(entry veleroserver.Entry) bool { return strings.Contains(entry.Message, "unverified") }
			t.logs(session, 1, fmt.Sprintf("says that %d bytes were not verified", size), isUnverified)
		}
	}
}

func replacesUnhashedBlocks(t *T) {
	store, _ := t.Store(nil)
	t.NoError(t.blob.of(t.blob.target.Main).PutBlocks(t.bucket, t.Key("object"), body.Body{Seed: 95, Size: 3 * mib}.Bytes(), officialBlockBytes), "put as the official plugin does")
	want := body.Body{Seed: 96, Size: 20 * mib}

	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")

	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
	keys, err := store.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	if len(keys) != 1 {
		t.Fatalf("listed %v", keys)
	}
}

func putsBesideUncommittedBlocks(t *T) {
	store, _ := t.Store(nil)
	t.NoError(t.blob.of(t.blob.target.Main).StageBlocks(t.bucket, t.Key("object"), body.Body{Seed: 97, Size: 3 * mib}.Bytes(), officialBlockBytes), "stage as the official plugin does")
	exists, err := store.ObjectExists(t.bucket, t.Key("object"))
	t.NoError(err, "exists")
	if exists {
		t.Fatalf("blocks that were never committed are said to be an object")
	}
	for _, want := range []body.Body{{Seed: 98, Size: 20 * mib}, {Seed: 99, Size: 1000}} {
		t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
		t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
	}
}

func storesMD5(t *T) {
	store, _ := t.Store(nil)
	for _, size := range []int64{1, 100 * kib, 20 * mib} {
		written := body.Body{Seed: 100, Size: size}
		t.NoError(store.PutObject(t.bucket, t.Key("object"), written.Reader()), "put")

		header, err := t.around().Head(t.bucket, t.Key("object"))

		t.NoError(err, "head around the plugin")
		if got, want := header.Get("Content-MD5"), md5Of(written.Bytes()); got != want {
			t.Fatalf("Content-MD5 of %d bytes is %q, want %q", size, got, want)
		}
	}
}

func md5Of(content []byte) string {
	digest := md5.Sum(content)
	return base64.StdEncoding.EncodeToString(digest[:])
}

// takesBlockSize: like the official plugin, no value of the key refuses a location.
func takesBlockSize(t *T, size string) {
	store, _ := t.Store(map[string]string{"blockSizeInBytes": size})
	want := body.Body{Seed: 101, Size: 3*mib + 1}
	if size == "1" {
		want.Size = 1000
	}
	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
	stored, err := t.around().Get(t.bucket, t.Key("object"))
	t.NoError(err, "get around the plugin")
	t.NoError(want.Verify(bytes.NewReader(stored)), "what the server stored")
}

// azureInterchangeChecks exchange objects with the official plugin itself, where its executable is given.
func azureInterchangeChecks() []check {
	var checks []check
	for _, way := range directions() {
		checks = append(checks, check{
			title: "what is written " + way.maker + " is read, overwritten and deleted by " + way.user,
			run:   func(t *T) { exchangesBlobs(t, way) },
		})
	}
	return checks
}

func exchangesBlobs(t *T, way direction) {
	writer, err := t.sessionOf(way.makes(t)).ObjectStore(t.objectConfig(nil))
	t.NoError(err, "init of the writer")
	reader, err := t.sessionOf(way.uses(t)).ObjectStore(t.objectConfig(nil))
	t.NoError(err, "init of the reader")
	for index, size := range []int64{1000, mib, 6 * mib, 20*mib + 3} {
		want, key := body.Body{Seed: uint64(110 + index), Size: size}, t.Key(fmt.Sprint(index))
		t.NoError(writer.PutObject(t.bucket, key, want.Reader()), fmt.Sprintf("put %d bytes", size))
		t.NoError(readBack(reader, t.bucket, key, want), fmt.Sprintf("get %d bytes", size))
		after := body.Body{Seed: uint64(120 + index), Size: 2*mib + size}
		t.NoError(reader.PutObject(t.bucket, key, after.Reader()), fmt.Sprintf("overwrite %d bytes", size))
		t.NoError(readBack(writer, t.bucket, key, after), "get what was overwritten")
	}
	keys, err := reader.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	for _, key := range keys {
		t.NoError(reader.DeleteObject(t.bucket, key), "delete")
	}
}
