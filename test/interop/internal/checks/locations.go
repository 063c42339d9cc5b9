package checks

import (
	"fmt"

	"github.com/vmware-tanzu/velero/pkg/plugin/velero"

	"flotilla.io/test/interop/internal/body"
)

const oneConfigurationPerName = "a process keeps one configuration per name: the later Init replaces the earlier"

func locationChecks() []check {
	return []check{
		{
			title: "two locations with credentials of their own, interleaved in one process, reach their own buckets",
			needs: []Capability{Tenants}, faults: faults{
				"aws": {reason: oneConfigurationPerName, shows: "AccessDenied"},
				"gcp": {reason: oneConfigurationPerName, shows: "storage.objects.create"},
			}, run: keepsTenantsApart,
		},
		{
			title: "a location's credentials do not open the other's bucket", needs: []Capability{Tenants}, run: doesNotMixTenants,
		},
		{title: "two locations in one bucket under two prefixes work side by side", run: sharesABucket},
		{
			title: "two locations in one bucket under two prefixes keep credentials of their own", needs: []Capability{Authenticates},
			faults: faults{
				"aws": {reason: oneConfigurationPerName, shows: "SignatureDoesNotMatch"},
				"gcp": {reason: oneConfigurationPerName, shows: accountNotFound.shows},
			}, run: keepsPrefixesApart,
		},
		{title: "a location that is initialized again with other keys uses the newer", needs: []Capability{Authenticates}, run: takesTheNewerConfiguration},
	}
}

func keepsTenantsApart(t *T) {
	session := t.Session()
	var stores []velero.ObjectStore
	for _, tenant := range t.objects.tenants() {
		stores = append(stores, t.StoreIn(session, t.locationOf(tenant, tenant.credentials)))
	}
	for round := range 3 {
		for index, tenant := range t.objects.tenants() {
			want, key := body.Body{Seed: uint64(10*round + index), Size: 20 * kib}, t.Key(fmt.Sprint(round))
			doing := fmt.Sprintf("round %d, location %d", round, index)
			t.NoError(stores[index].PutObject(tenant.bucket, key, want.Reader()), doing+": put")
			t.NoError(readBack(stores[index], tenant.bucket, key, want), doing+": get")
		}
	}
	if started := len(session.ProcessIDs()); started != 1 {
		t.Fatalf("%d processes: the locations did not share one", started)
	}
}

func doesNotMixTenants(t *T) {
	stranger, other := t.objects.tenants()[0], t.objects.tenants()[1]
	store, _ := t.Store(t.locationOf(other, stranger.credentials))

	_, err := store.ListCommonPrefixes(other.bucket, "", "/")
	t.Fails(err, "listing a stranger's bucket")
	text := t.Fails(store.PutObject(other.bucket, t.Key("object"), body.Body{Size: 10}.Reader()), "put into a stranger's bucket")
	if word := wordOfAbsence(text); word != "" {
		t.Fatalf("%q in: %s", word, text)
	}
}

// locationOf is a tenant's place with somebody's credentials.
func (t *T) locationOf(place tenant, credentials string) map[string]string {
	changes := map[string]string{"bucket": place.bucket, "credentialsFile": t.credentialsFile(credentials)}
	for key, value := range place.location {
		changes[key] = value
	}
	return changes
}

func sharesABucket(t *T) {
	session := t.Session()
	for _, prefix := range []string{t.Key("one"), t.Key("two")} {
		store := t.StoreIn(session, map[string]string{"prefix": prefix})
		want := body.Body{Seed: uint64(len(prefix)), Size: kib}
		t.NoError(store.PutObject(t.bucket, prefix+"/backups/b/velero-backup.json", want.Reader()), "put")
		t.NoError(readBack(store, t.bucket, prefix+"/backups/b/velero-backup.json", want), "get")
		prefixes, err := store.ListCommonPrefixes(t.bucket, prefix+"/", "/")
		t.NoError(err, "list")
		if len(prefixes) != 1 || prefixes[0] != prefix+"/backups/" {
			t.Fatalf("listed %v", prefixes)
		}
	}
}

func keepsPrefixesApart(t *T) {
	session := t.Session()
	good := t.StoreIn(session, map[string]string{"prefix": t.Key("good")})
	bad := t.StoreIn(session, map[string]string{"prefix": t.Key("bad"), "credentialsFile": t.credentialsFile(t.objects.wrongSecret().file)})
	want, key := body.Body{Seed: 12, Size: kib}, t.Key("good/backups/b/velero-backup.json")

	t.NoError(good.PutObject(t.bucket, key, want.Reader()), "put below the good prefix")
	t.NoError(readBack(good, t.bucket, key, want), "get below the good prefix")
	t.Fails(bad.PutObject(t.bucket, t.Key("bad/backups/b/velero-backup.json"), want.Reader()), "put below the bad prefix")
}

func takesTheNewerConfiguration(t *T) {
	session := t.Session()
	t.StoreIn(session, map[string]string{"credentialsFile": t.credentialsFile(t.objects.wrongSecret().file)})

	store := t.StoreIn(session, nil)

	t.NoError(store.PutObject(t.bucket, t.Key("object"), body.Body{Size: 10}.Reader()), "put")
}
