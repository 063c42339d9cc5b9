package checks

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/veleroserver"
)

func resticChecks() []check {
	checks := []check{
		{title: "an object that is written twice has the second body, for other sessions too", run: resticOverwrites},
		{title: "four puts and then four gets at once keep their bodies apart", run: resticRunsConcurrently},
		{title: "a gzip file passes unchanged, and one that ends early is refused and stays unseen", run: resticGuardsGzip},
		{title: "keys are listed whole in descending order, prefixes with their delimiter", run: resticLists},
		{title: "every listed key can be deleted in the order given, and once more", run: resticDeletes},
		{title: "an absent object is told in the server's words", run: resticTellsAbsence},
		{title: "odd keys come back as they were", run: resticKeepsOddKeys},
		{title: "a signed URL is refused with the command that reads instead", run: resticSignsNothing},
		{title: "another password is refused, and not taken for absence", run: resticRefusesPassword},
		{title: "a put whose process is killed is seen by no later session", run: resticSurvivesKill},
	}
	for _, size := range []int64{1, 16 * kib, mib, mib + 1, 20 * mib} {
		checks = append(checks, check{
			title: fmt.Sprintf("an object of %d bytes comes back byte by byte", size),
			run:   func(t *T) { resticRoundTrips(t, size) },
		})
	}
	return checks
}

func (t *T) resticConfig(changes map[string]string) map[string]string {
	config := map[string]string{}
	for _, each := range []map[string]string{t.restic.Config, changes} {
		for key, value := range each {
			config[key] = value
		}
	}
	return config
}

// resticStore opens the repository in a session of its own.
func (t *T) resticStore() (velero.ObjectStore, *veleroserver.Session) {
	session := t.Session()
	store, err := session.ObjectStore(t.resticConfig(nil))
	t.NoError(err, "init")
	t.bucket = t.restic.Config["bucket"]
	return store, session
}

func resticRoundTrips(t *T, size int64) {
	store, _ := t.resticStore()
	want := body.Body{Seed: uint64(size), Size: size}
	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
	exists, err := store.ObjectExists(t.bucket, t.Key("object"))
	t.NoError(err, "exists")
	if !exists {
		t.Fatalf("the object is said to be absent")
	}
	later, _ := t.resticStore()
	t.NoError(readBack(later, t.bucket, t.Key("object"), want), "get in another session")
}

func resticOverwrites(t *T) {
	store, _ := t.resticStore()
	for _, size := range []int64{3 * mib, 100} {
		want := body.Body{Seed: uint64(size), Size: size}
		t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
		t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
	}
	later, _ := t.resticStore()
	t.NoError(readBack(later, t.bucket, t.Key("object"), body.Body{Seed: 100, Size: 100}), "get in another session")
}

func resticRunsConcurrently(t *T) {
	store, _ := t.resticStore()
	bodyOf := func(index int) body.Body { return body.Body{Seed: uint64(index) + 9, Size: 2*mib + int64(index)} }
	keyOf := func(index int) string { return t.Key(fmt.Sprintf("object-%d", index)) }
	t.NoError(atOnce(4, func(index int) error {
		return store.PutObject(t.bucket, keyOf(index), bodyOf(index).Reader())
	}), "put")
	t.NoError(atOnce(4, func(index int) error {
		return readBack(store, t.bucket, keyOf(index), bodyOf(index))
	}), "get")
}

func resticGuardsGzip(t *T) {
	store, _ := t.resticStore()
	archive := gzipped(2 * mib)
	t.NoError(store.PutObject(t.bucket, t.Key("whole.tar.gz"), bytes.NewReader(archive)), "put")
	reader, err := store.GetObject(t.bucket, t.Key("whole.tar.gz"))
	t.NoError(err, "get")
	got, err := io.ReadAll(reader)
	t.NoError(err, "read")
	if !bytes.Equal(got, archive) {
		t.Fatalf("other bytes")
	}
	cut := bytes.NewReader(archive[:len(archive)-10])
	t.Fails(store.PutObject(t.bucket, t.Key("cut.tar.gz"), cut), "a put that ends early")
	keys, err := store.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	if !slices.Equal(keys, []string{t.Key("whole.tar.gz")}) {
		t.Fatalf("listed: %v", keys)
	}
}

func resticLists(t *T) {
	store, _ := t.resticStore()
	names := []string{"backups/a/1", "backups/a/2", "backups/b/1", "top"}
	for _, name := range names {
		t.NoError(store.PutObject(t.bucket, t.Key(name), strings.NewReader(name)), "put "+name)
	}
	keys, err := store.ListObjects(t.bucket, t.Key("backups/"))
	t.NoError(err, "list")
	if want := []string{t.Key(names[2]), t.Key(names[1]), t.Key(names[0])}; !slices.Equal(keys, want) {
		t.Fatalf("listed: %v", keys)
	}
	prefixes, err := store.ListCommonPrefixes(t.bucket, t.Key("backups/"), "/")
	t.NoError(err, "list prefixes")
	if want := []string{t.Key("backups/a/"), t.Key("backups/b/")}; !slices.Equal(prefixes, want) {
		t.Fatalf("prefixes: %v", prefixes)
	}
}

func resticDeletes(t *T) {
	store, _ := t.resticStore()
	for _, name := range []string{"a", "a/b"} {
		t.NoError(store.PutObject(t.bucket, t.Key(name), strings.NewReader(name)), "put "+name)
	}
	keys, err := store.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	for range 2 {
		for _, key := range keys {
			t.NoError(store.DeleteObject(t.bucket, key), "delete "+key)
		}
	}
	later, _ := t.resticStore()
	left, err := later.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list in another session")
	if len(keys) != 2 || len(left) != 0 {
		t.Fatalf("listed %v, left %v", keys, left)
	}
}

func resticTellsAbsence(t *T) {
	store, _ := t.resticStore()
	exists, err := store.ObjectExists(t.bucket, t.Key("absent"))
	t.NoError(err, "exists")
	if exists {
		t.Fatalf("it is said to exist")
	}
	text := t.Fails(readBack(store, t.bucket, t.Key("absent"), body.Body{}), "get")
	if wordOfAbsence(text) == "" {
		t.Fatalf("the server does not take this for absence: %s", text)
	}
}

func resticKeepsOddKeys(t *T) {
	store, _ := t.resticStore()
	names := []string{"a b", "a,b", "100%", "a%2Cb", "ä€𝄞", "a//b", "a/../b", "=", "'\""}
	for _, name := range names {
		t.NoError(store.PutObject(t.bucket, t.Key(name), strings.NewReader(name)), "put "+name)
	}
	later, _ := t.resticStore()
	for _, name := range names {
		reader, err := later.GetObject(t.bucket, t.Key(name))
		t.NoError(err, "get "+name)
		got, err := io.ReadAll(reader)
		t.NoError(err, "read "+name)
		if string(got) != name {
			t.Fatalf("%q holds %q", name, got)
		}
	}
}

func resticSignsNothing(t *T) {
	store, _ := t.resticStore()
	_, err := store.CreateSignedURL(t.bucket, t.Key("object"), 10*time.Minute)
	if text := t.Fails(err, "signing"); !strings.Contains(text, "flotilla backup download") {
		t.Fatalf("it does not say what to do: %s", text)
	}
}

func resticRefusesPassword(t *T) {
	// Whoever comes first makes the repository.
	right, _ := t.resticStore()
	_, err := right.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	store, err := t.Session().ObjectStore(t.resticConfig(t.restic.WrongPassword))
	t.NoError(err, "init")
	_, err = store.ListObjects(t.bucket, t.prefix)
	text := t.Fails(err, "a list with another password")
	if !strings.Contains(text, "password") || wordOfAbsence(text) != "" {
		t.Fatalf("%s", text)
	}
}

func resticSurvivesKill(t *T) {
	store, session := t.resticStore()
	t.EndsByForce(session)
	id, err := session.ProcessID()
	t.NoError(err, "process id")
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- store.PutObject(t.bucket, t.Key("object"), reader) }()
	_, err = io.Copy(writer, body.Body{Seed: 5, Size: 6 * mib}.Reader())
	t.NoError(err, "write the body")
	t.NoError(syscall.Kill(id, syscall.SIGKILL), "kill")
	// The server notices at its next write only.
	go func() { _, _ = io.Copy(writer, body.Body{Seed: 6, Size: 64 * mib}.Reader()) }()
	t.Fails(<-ended, "a put whose process was killed")
	t.NoError(reader.Close(), "close the body")

	later, _ := t.resticStore()
	keys, err := later.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	if len(keys) > 0 {
		t.Fatalf("listed: %v", keys)
	}
}
