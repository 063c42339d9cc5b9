package checks

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/cloud"
	"flotilla.io/test/interop/internal/veleroserver"
)

// copies is a target's second region as the checks of copyTo use it.
type copies struct {
	CopyPlace
	// home is what changes in a location whose objects are copied there.
	home map[string]string
	// there leads a location to the copies themselves: all but bucket, prefix and credentialsFile.
	there map[string]string
	// credentials is the text of a credentials file for both.
	credentials string
	around      cloud.Objects
}

func objectCopyChecks() []check {
	needs := []Capability{LosesRegions}
	return []check{
		{title: "with copyTo each object has a copy in the other region, byte for byte, and loses it by a deletion", needs: needs, ownKeys: true, run: copiesAndDeletes},
		{title: "while the region is lost, its location reads and finds by the copies, warns of it, and lists nothing", needs: needs, ownKeys: true, run: answersFromCopies},
		{title: "while the region is lost, a location at the copies lists, reads, overwrites and deletes them", needs: needs, ownKeys: true, run: worksAtTheCopies},
		{title: "while the region is lost, a put fails and leaves nothing at the copies", needs: needs, ownKeys: true, run: putsNothingBesideALostRegion},
		{title: "while the region of required copies is lost, a put and a deletion fail, and the object stays", needs: needs, ownKeys: true, run: keepsWhatCannotBeCopied},
		{title: "an object that is gone at home is read from its copy, with a warning that names it", needs: needs, ownKeys: true, run: readsWhatIsGone},
	}
}

// copiedSizes are of objects that are read at once, and of one that is read twice.
var copiedSizes = []int64{10, 300 * kib, 20 * mib}

// copiedObjects opens a location with copyTo and puts objects of several sizes.
func (t *T) copiedObjects(seed uint64) (velero.ObjectStore, copies, map[string]body.Body) {
	place := t.objects.copies()
	store, _ := t.Store(t.atHome(place))
	bodies := map[string]body.Body{}
	for index, size := range copiedSizes {
		key := t.Key(fmt.Sprintf("backups/nightly/object-%d", index))
		bodies[key] = body.Body{Seed: seed + uint64(index), Size: size}
		t.NoError(store.PutObject(t.bucket, key, bodies[key].Reader()), fmt.Sprintf("put %d bytes", size))
	}
	return store, place, bodies
}

func (t *T) atHome(place copies) map[string]string {
	changes := map[string]string{"credentialsFile": t.credentialsFile(place.credentials)}
	for key, value := range place.home {
		changes[key] = value
	}
	return changes
}

// storeAtCopies is what a cluster in the other region opens: it knows of no other location.
func (t *T) storeAtCopies(place copies) velero.ObjectStore {
	changes := map[string]string{"bucket": place.Bucket, "credentialsFile": t.credentialsFile(place.credentials)}
	for key, value := range place.there {
		changes[key] = value
	}
	store, _ := t.Store(changes)
	return store
}

func (t *T) lists(store velero.ObjectStore, bucket string, want map[string]body.Body) {
	keys, err := store.ListObjects(bucket, t.prefix)
	t.NoError(err, "list")
	wanted := []string{}
	for key := range want {
		wanted = append(wanted, key)
	}
	slices.Sort(keys)
	slices.Sort(wanted)
	if !slices.Equal(keys, wanted) {
		t.Fatalf("listed %v, want %v", keys, wanted)
	}
}

func copiesAndDeletes(t *T) {
	store, place, bodies := t.copiedObjects(200)
	for key, want := range bodies {
		copied, err := place.around.Get(place.Bucket, key)
		t.NoError(err, "read the copy around the plugin")
		t.NoError(want.Verify(bytes.NewReader(copied)), "the copy of "+key)
	}

	for key := range bodies {
		t.NoError(store.DeleteObject(t.bucket, key), "delete")
		exists, err := place.around.Exists(place.Bucket, key)
		t.NoError(err, "look for the copy around the plugin")
		if exists {
			t.Fatalf("the copy of %s is still there", key)
		}
	}
}

func answersFromCopies(t *T) {
	t.countedAllowed = true
	_, place, bodies := t.copiedObjects(210)
	t.lose(place.Control, place.Regions[0])
	store, session := t.Store(t.atHome(place))

	// What a list lacks the server deletes from its cluster.
	_, err := store.ListCommonPrefixes(t.bucket, t.Key("backups/"), "/")
	t.Fails(err, "list")
	for key, want := range bodies {
		exists, err := store.ObjectExists(t.bucket, key)
		t.NoError(err, "exists")
		if !exists {
			t.Fatalf("%s is said to be gone", key)
		}
		t.NoError(readBack(store, t.bucket, key, want), "get")
	}

	t.warnsOfCopies(session, place, 1)
}

// warnsOfCopies requires lines that a backup counts and that name the bucket of copies.
func (t *T) warnsOfCopies(session *veleroserver.Session, place copies, atLeast int) {
	t.logs(session, atLeast, "warns of the copies", func(entry veleroserver.Entry) bool {
		return entry.Counts() && strings.Contains(fmt.Sprint(entry.Message, entry.Fields), place.Bucket)
	})
}

func worksAtTheCopies(t *T) {
	_, place, bodies := t.copiedObjects(220)
	t.lose(place.Control, place.Regions[0])
	_, err := t.around().Head(t.bucket, t.Key("object"))
	t.Fails(err, "head at home around the plugin")
	store := t.storeAtCopies(place)

	t.lists(store, place.Bucket, bodies)
	for key, want := range bodies {
		t.NoError(readBack(store, place.Bucket, key, want), "get")
	}
	for key := range bodies {
		after := body.Body{Seed: 229, Size: 50 * kib}
		t.NoError(store.PutObject(place.Bucket, key, after.Reader()), "overwrite")
		t.NoError(readBack(store, place.Bucket, key, after), "get what was overwritten")
		t.NoError(store.DeleteObject(place.Bucket, key), "delete")
	}
	t.lists(store, place.Bucket, nil)
}

func putsNothingBesideALostRegion(t *T) {
	t.countedAllowed = true
	place := t.objects.copies()
	store, _ := t.Store(t.atHome(place))
	t.lose(place.Control, place.Regions[0])

	t.Fails(store.PutObject(t.bucket, t.Key("object"), body.Body{Seed: 230, Size: 20 * kib}.Reader()), "put")

	exists, err := place.around.Exists(place.Bucket, t.Key("object"))
	t.NoError(err, "look for a copy around the plugin")
	if exists {
		t.Fatalf("there is a copy of an object that was never stored")
	}
}

func keepsWhatCannotBeCopied(t *T) {
	t.countedAllowed = true
	store, place, bodies := t.copiedObjects(240)
	restore := t.lose(place.Control, place.Regions[1])

	text := t.Fails(store.PutObject(t.bucket, t.Key("late"), body.Body{Seed: 249, Size: kib}.Reader()), "put")
	if !strings.Contains(text, place.Bucket) {
		t.Fatalf("the copy is not named in: %s", text)
	}
	for key, want := range bodies {
		t.Fails(store.DeleteObject(t.bucket, key), "delete")
		t.NoError(readBack(store, t.bucket, key, want), "get what was not deleted")
	}

	restore()
	again, _ := t.Store(t.atHome(place))
	for key := range bodies {
		t.NoError(again.DeleteObject(t.bucket, key), "delete when the region is back")
	}
	for key := range bodies {
		exists, err := place.around.Exists(place.Bucket, key)
		t.NoError(err, "look for the copy around the plugin")
		if exists {
			t.Fatalf("the copy of %s is left behind", key)
		}
	}
}

func readsWhatIsGone(t *T) {
	t.countedAllowed = true
	_, place, bodies := t.copiedObjects(250)
	// Another server's location at the same bucket, which knows nothing of copies.
	stranger, _ := t.Store(map[string]string{"credentialsFile": t.credentialsFile(place.credentials)})
	for key := range bodies {
		t.NoError(stranger.DeleteObject(t.bucket, key), "delete beside the copies")
	}
	store, session := t.Store(t.atHome(place))

	for key, want := range bodies {
		t.NoError(readBack(store, t.bucket, key, want), "get")
	}

	t.warnsOfCopies(session, place, len(bodies))
}
