package checks

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

func listingChecks() []check {
	return []check{
		{
			title:  "1205 objects are all listed, in descending order",
			faults: faults{"gcp": {reason: "lists in ascending order", shows: "key 0 is"}}, run: listsEveryPage,
		},
		{title: "1205 common prefixes are all listed, whole, with the delimiter at their end", run: listsEveryPrefix},
		{title: "common prefixes leave out keys and deeper levels", run: listsOneLevel},
		{title: "a prefix without objects lists nothing", run: listsNothing},
		{title: "every listed key can be deleted in the order given", run: deletesAsListed},
	}
}

// manyObjects is more than one page of any of the services' listings.
const manyObjects = 1205

func (t *T) fill(count int, keyOf func(index int) string) {
	store := t.around()
	const workers = 8
	t.NoError(atOnce(workers, func(worker int) error {
		for index := worker; index < count; index += workers {
			key, content := keyOf(index), []byte("x")
			if strings.HasSuffix(key, "/") {
				// A folder marker, as consoles make them, has no content.
				content = nil
			}
			if err := store.Put(t.bucket, key, content); err != nil {
				return err
			}
		}
		return nil
	}), "put around the plugin")
}

func listsEveryPage(t *T) {
	store, _ := t.Store(nil)
	keyOf := func(index int) string { return t.Key(fmt.Sprintf("many/%04d", index)) }
	t.fill(manyObjects, keyOf)

	keys, err := store.ListObjects(t.bucket, t.Key("many/"))

	t.NoError(err, "list")
	if len(keys) != manyObjects {
		t.Fatalf("%d keys", len(keys))
	}
	for index, key := range keys {
		if want := keyOf(manyObjects - 1 - index); key != want {
			t.Fatalf("key %d is %s, want %s", index, key, want)
		}
	}
}

func listsEveryPrefix(t *T) {
	store, _ := t.Store(nil)
	prefixOf := func(index int) string { return t.Key(fmt.Sprintf("backups/b%04d/", index)) }
	t.fill(manyObjects, func(index int) string { return prefixOf(index) + "velero-backup.json" })

	prefixes, err := store.ListCommonPrefixes(t.bucket, t.Key("backups/"), "/")

	t.NoError(err, "list")
	sort.Strings(prefixes)
	if len(prefixes) != manyObjects {
		t.Fatalf("%d prefixes", len(prefixes))
	}
	for index, prefix := range prefixes {
		if prefix != prefixOf(index) {
			t.Fatalf("prefix %d is %s, want %s", index, prefix, prefixOf(index))
		}
	}
}

func listsOneLevel(t *T) {
	store, _ := t.Store(nil)
	names := []string{"top.txt", "backups/a/x", "backups/a/y/z", "backups/b/x", "restores/r/x", "backups-not/x"}
	t.fill(len(names), func(index int) string { return t.Key(names[index]) })

	top, err := store.ListCommonPrefixes(t.bucket, t.prefix, "/")
	t.NoError(err, "list the top")
	below, err := store.ListCommonPrefixes(t.bucket, t.Key("backups/"), "/")
	t.NoError(err, "list below")

	expectSet(t, top, "backups-not/", "backups/", "restores/")
	expectSet(t, below, "backups/a/", "backups/b/")
}

func expectSet(t *T, got []string, names ...string) {
	var want []string
	for _, name := range names {
		want = append(want, t.Key(name))
	}
	sort.Strings(got)
	sort.Strings(want)
	if !slices.Equal(got, want) {
		t.Fatalf("got %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

func listsNothing(t *T) {
	store, _ := t.Store(nil)

	keys, err := store.ListObjects(t.bucket, t.Key("nothing/"))
	t.NoError(err, "list objects")
	prefixes, err := store.ListCommonPrefixes(t.bucket, t.Key("nothing/"), "/")
	t.NoError(err, "list prefixes")

	if len(keys)+len(prefixes) != 0 {
		t.Fatalf("%v %v", keys, prefixes)
	}
}

func deletesAsListed(t *T) {
	store, _ := t.Store(nil)
	names := []string{"backups/b/", "backups/b/b.tar.gz", "backups/b/velero-backup.json"}
	t.fill(len(names), func(index int) string { return t.Key(names[index]) })

	keys, err := store.ListObjects(t.bucket, t.Key("backups/b/"))
	t.NoError(err, "list")
	if len(keys) != len(names) {
		t.Fatalf("listed %v", keys)
	}
	for _, key := range keys {
		t.NoError(store.DeleteObject(t.bucket, key), "delete "+key)
	}

	left, err := store.ListObjects(t.bucket, t.Key("backups/"))
	t.NoError(err, "list again")
	if len(left) != 0 {
		t.Fatalf("left: %v", left)
	}
}
