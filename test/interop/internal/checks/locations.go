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
			needs: []Capability{Tenants}, fault: &fault{reason: oneConfigurationPerName, shows: "AccessDenied"}, run: keepsTenantsApart,
		},
		{
			title: "a location's credentials do not open the other's bucket", needs: []Capability{Tenants}, run: doesNotMixTenants,
		},
		{title: "two locations in one bucket under two prefixes work side by side", run: sharesABucket},
		{
			title: "two locations in one bucket under two prefixes keep credentials of their own", needs: []Capability{Authenticates},
			fault: &fault{reason: oneConfigurationPerName, shows: "SignatureDoesNotMatch"}, run: keepsPrefixesApart,
		},
		{title: "a location that is initialized again with other keys uses the newer", needs: []Capability{Authenticates}, run: takesTheNewerConfiguration},
	}
}

func keepsTenantsApart(t *T) {
	session := t.Session()
	var stores []velero.ObjectStore
	for _, tenant := range t.s3.Tenants {
		stores = append(stores, t.StoreIn(session, map[string]string{
			"bucket": tenant.Bucket, "credentialsFile": t.credentialsFile(tenant.Keys),
		}))
	}
	for round := range 3 {
		for index, tenant := range t.s3.Tenants {
			want, key := body.Body{Seed: uint64(10*round + index), Size: 20 * kib}, t.Key(fmt.Sprint(round))
			doing := fmt.Sprintf("round %d, location %d", round, index)
			t.NoError(stores[index].PutObject(tenant.Bucket, key, want.Reader()), doing+": put")
			t.NoError(readBack(stores[index], tenant.Bucket, key, want), doing+": get")
		}
	}
	if started := len(session.ProcessIDs()); started != 1 {
		t.Fatalf("%d processes: the locations did not share one", started)
	}
}

func doesNotMixTenants(t *T) {
	stranger, other := t.s3.Tenants[0], t.s3.Tenants[1]
	store, _ := t.Store(map[string]string{"bucket": other.Bucket, "credentialsFile": t.credentialsFile(stranger.Keys)})

	_, err := store.ListCommonPrefixes(other.Bucket, "", "/")
	t.Fails(err, "listing a stranger's bucket")
	text := t.Fails(store.PutObject(other.Bucket, t.Key("object"), body.Body{Size: 10}.Reader()), "put into a stranger's bucket")
	if word := wordOfAbsence(text); word != "" {
		t.Fatalf("%q in: %s", word, text)
	}
}

func sharesABucket(t *T) {
	session := t.Session()
	for _, prefix := range []string{t.Key("one"), t.Key("two")} {
		store := t.StoreIn(session, map[string]string{"prefix": prefix})
		want := body.Body{Seed: uint64(len(prefix)), Size: kib}
		t.NoError(store.PutObject(t.s3.Bucket, prefix+"/backups/b/velero-backup.json", want.Reader()), "put")
		t.NoError(readBack(store, t.s3.Bucket, prefix+"/backups/b/velero-backup.json", want), "get")
		prefixes, err := store.ListCommonPrefixes(t.s3.Bucket, prefix+"/", "/")
		t.NoError(err, "list")
		if len(prefixes) != 1 || prefixes[0] != prefix+"/backups/" {
			t.Fatalf("listed %v", prefixes)
		}
	}
}

func keepsPrefixesApart(t *T) {
	session := t.Session()
	good := t.StoreIn(session, map[string]string{"prefix": t.Key("good")})
	bad := t.StoreIn(session, map[string]string{"prefix": t.Key("bad"), "credentialsFile": t.credentialsFile(t.wrongSecret())})
	want, key := body.Body{Seed: 12, Size: kib}, t.Key("good/backups/b/velero-backup.json")

	t.NoError(good.PutObject(t.s3.Bucket, key, want.Reader()), "put below the good prefix")
	t.NoError(readBack(good, t.s3.Bucket, key, want), "get below the good prefix")
	t.Fails(bad.PutObject(t.s3.Bucket, t.Key("bad/backups/b/velero-backup.json"), want.Reader()), "put below the bad prefix")
}

func takesTheNewerConfiguration(t *T) {
	session := t.Session()
	t.StoreIn(session, map[string]string{"credentialsFile": t.credentialsFile(t.wrongSecret())})

	store := t.StoreIn(session, nil)

	t.NoError(store.PutObject(t.s3.Bucket, t.Key("object"), body.Body{Size: 10}.Reader()), "put")
}
