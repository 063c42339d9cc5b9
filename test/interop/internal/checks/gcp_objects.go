package checks

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/cloud"
	"flotilla.io/test/interop/internal/veleroserver"
)

func gcpObjectChecks() []check {
	return []check{
		{
			title: "a signed URL is of V4, leads to the store of the location and lives as long as the server asked", only: "gcp",
			faults: faults{"gcp": signsForGoogleOnly}, run: signsByV4,
		},
		{title: "a put of many chunks replaces what is there by a new generation", only: "gcp", run: replacesByNewGeneration},
	}
}

var signsForGoogleOnly = fault{reason: "signs by V2, and always for Google's own host", shows: "storage.googleapis.com"}

func signsByV4(t *T) {
	address, err := url.Parse(t.sign(map[string]string{}, body.Body{Size: 10}))

	t.NoError(err, "parse")
	if got := address.Scheme + "://" + address.Host; got != t.objects.endpoint() {
		t.Fatalf("it leads to %s", got)
	}
	query := address.Query()
	if query.Get("X-Goog-Algorithm") != "GOOG4-RSA-SHA256" || query.Get("X-Goog-Expires") != "600" {
		t.Fatalf("its algorithm is %q, its time %q", query.Get("X-Goog-Algorithm"), query.Get("X-Goog-Expires"))
	}
}

func replacesByNewGeneration(t *T) {
	store, _ := t.Store(nil)
	var generations []string
	for seed := range uint64(2) {
		want := body.Body{Seed: seed, Size: 33*mib + int64(seed)}
		t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
		t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get")
		generations = append(generations, t.properties("object").Generation)
	}
	if generations[0] == generations[1] {
		t.Fatalf("both have the generation %s", generations[0])
	}
}

func (t *T) properties(name string) cloud.Properties {
	properties, err := t.gcs.store.Properties(t.bucket, t.Key(name))
	t.NoError(err, "describe around the plugin")
	if properties == nil {
		t.Fatalf("%s does not exist", name)
	}
	return *properties
}

// gcpInterchangeChecks exchange objects with the official plugin on one server.
func gcpInterchangeChecks() []check {
	var checks []check
	for _, way := range directions() {
		checks = append(checks,
			check{
				title: "what is written " + way.maker + " is listed, read, overwritten and deleted by " + way.user,
				run:   func(t *T) { exchangesGCSObjects(t, way) },
			},
			check{
				title: "what is written " + way.maker + " is opened by a signed URL of " + way.user,
				run:   func(t *T) { signsForOthersObject(t, way) },
			},
			check{
				title: "what is written with kmsKeyName " + way.maker + " is encrypted with that key and read by " + way.user,
				needs: []Capability{KMSKeys}, run: func(t *T) { exchangesEncrypted(t, way) },
			},
		)
	}
	return append(checks,
		check{title: "both plugins list the same objects and common prefixes", run: listsTheSame},
		check{title: "both plugins leave the same properties beside the same bytes", run: storesTheSame},
	)
}

func (t *T) storeOf(server *veleroserver.Server) velero.ObjectStore {
	store, err := t.sessionOf(server).ObjectStore(t.objectConfig(nil))
	t.NoError(err, "init")
	return store
}

func exchangesGCSObjects(t *T, way direction) {
	writer, reader := t.storeOf(way.makes(t)), t.storeOf(way.uses(t))
	// Both send chunks of 16 MiB: just that, one byte more, and several.
	for index, size := range []int64{1000, 16 * mib, 16*mib + 1, 40*mib + 3} {
		want, key := body.Body{Seed: uint64(110 + index), Size: size}, t.Key(fmt.Sprint(index))
		t.NoError(writer.PutObject(t.bucket, key, want.Reader()), fmt.Sprintf("put %d bytes", size))
		t.NoError(readBack(reader, t.bucket, key, want), fmt.Sprintf("get %d bytes", size))
		after := body.Body{Seed: uint64(120 + index), Size: 2*mib + size}
		t.NoError(reader.PutObject(t.bucket, key, after.Reader()), fmt.Sprintf("overwrite %d bytes", size))
		t.NoError(readBack(writer, t.bucket, key, after), "get what was overwritten")
	}
	keys, err := reader.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	if len(keys) != 4 {
		t.Fatalf("listed %v", keys)
	}
	for _, key := range keys {
		t.NoError(reader.DeleteObject(t.bucket, key), "delete")
		exists, err := writer.ObjectExists(t.bucket, key)
		t.NoError(err, "exists")
		if exists {
			t.Fatalf("%s is said to be there after it was deleted", key)
		}
	}
}

func signsForOthersObject(t *T, way direction) {
	writer, signer := t.storeOf(way.makes(t)), t.storeOf(way.uses(t))
	want := body.Body{Seed: 130, Size: 300 * kib}
	t.NoError(writer.PutObject(t.bucket, t.Key(signedName), want.Reader()), "put")
	signed, err := signer.CreateSignedURL(t.bucket, t.Key(signedName), 10*time.Minute)
	t.NoError(err, "sign")
	// What the official plugin signs leads to Google; neither V2 nor the path of V4 depends on the host's name there.
	if way.uses(t) == t.other {
		signed, err = t.gcs.led(signed)
		t.NoError(err, "lead the URL here")
	}

	response, err := t.objects.client().Get(signed)

	t.NoError(err, "fetch")
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("status %d", response.StatusCode)
	}
	t.NoError(want.Verify(response.Body), "body")
}

func exchangesEncrypted(t *T, way direction) {
	writer, err := t.sessionOf(way.makes(t)).ObjectStore(t.objectConfig(map[string]string{"kmsKeyName": t.gcs.target.KMSKey}))
	t.NoError(err, "init of the writer")
	for _, size := range []int64{1000, 20 * mib} {
		want := body.Body{Seed: 135, Size: size}
		t.NoError(writer.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")
		t.NoError(readBack(t.storeOf(way.uses(t)), t.bucket, t.Key("object"), want), "get")
		if key := t.properties("object").KMSKeyName; !strings.HasPrefix(key, t.gcs.target.KMSKey) {
			t.Fatalf("%d bytes are encrypted with %q", size, key)
		}
	}
}

func listsTheSame(t *T) {
	names := []string{"backups/a/velero-backup.json", "backups/a/a.tar.gz", "backups/ü b/x", "backups/c/", "restores/r/x", "top"}
	t.fill(len(names), func(index int) string { return t.Key(names[index]) })
	var objects, prefixes [][]string
	for _, server := range []*veleroserver.Server{t.plugin, t.other} {
		store := t.storeOf(server)
		listed, err := store.ListObjects(t.bucket, t.prefix)
		t.NoError(err, "list objects")
		below, err := store.ListCommonPrefixes(t.bucket, t.Key("backups/"), "/")
		t.NoError(err, "list common prefixes")
		slices.Sort(listed)
		slices.Sort(below)
		objects, prefixes = append(objects, listed), append(prefixes, below)
	}
	if len(objects[0]) != len(names) || !slices.Equal(objects[0], objects[1]) || !slices.Equal(prefixes[0], prefixes[1]) {
		t.Fatalf("listed %v and %v, prefixes %v and %v", objects[0], objects[1], prefixes[0], prefixes[1])
	}
}

func storesTheSame(t *T) {
	for index, size := range []int64{1000, 20 * mib} {
		var both []cloud.Properties
		for name, server := range map[string]*veleroserver.Server{"ours": t.plugin, "theirs": t.other} {
			key := fmt.Sprint(name, index)
			t.NoError(t.storeOf(server).PutObject(t.bucket, t.Key(key), body.Body{Seed: 140, Size: size}.Reader()), "put")
			properties := t.properties(key)
			properties.Generation = ""
			both = append(both, properties)
		}
		if both[0] != both[1] || both[0].CRC32C == "" {
			t.Fatalf("of %d bytes: %+v and %+v", size, both[0], both[1])
		}
	}
}
