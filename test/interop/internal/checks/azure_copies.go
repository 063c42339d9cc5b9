package checks

import (
	"fmt"
	"net/url"

	"flotilla.io/test/interop/internal/body"
)

func azureCopyChecks() []check {
	return []check{
		{title: "an object is copied to a container of another account and served from there, byte for byte, when it is gone", only: "azure", needs: []Capability{Tenants}, ownKeys: true, run: func(t *T) { servesAzureCopy(t, 3*mib, "256Mi") }},
		{title: "an object above copyCutoff is copied in blocks that the store reads from the other account", only: "azure", needs: []Capability{Tenants}, ownKeys: true, run: func(t *T) { servesAzureCopy(t, 5*mib+7, "1Mi") }},
	}
}

func servesAzureCopy(t *T, size int64, cutoff string) {
	own, other := t.blob.of(t.blob.target.Main), t.blob.of(t.blob.target.Other)
	query := url.Values{
		"storageAccount": {other.Account.Name}, "storageAccountURI": {other.URL()}, "storageAccountKeyEnvVar": {"OTHER_KEY"},
		"copyCutoff": {cutoff},
	}
	file := t.credentialsFile(fmt.Sprintf("%sOTHER_KEY=%s\n", keyFile(own.Account.Key), other.Account.Key))
	store, _ := t.Store(map[string]string{
		"credentialsFile": file, "copyTo": "azblob://" + tenantContainers[1] + "?" + query.Encode(),
	})
	want := body.Body{Seed: 120, Size: size}

	t.NoError(store.PutObject(t.bucket, t.Key("object"), want.Reader()), "put")

	copied, err := other.Get(tenantContainers[1], t.Key("object"))
	t.NoError(err, "read the copy around the plugin")
	if string(copied) != string(want.Bytes()) {
		t.Fatalf("the copy has other bytes")
	}
	// Served from a copy: that is worth a warning of the restore.
	t.countedAllowed = true
	t.NoError(own.Delete(t.bucket, t.Key("object")), "delete around the plugin")
	t.NoError(readBack(store, t.bucket, t.Key("object"), want), "get what only the copy has")
	t.NoError(store.DeleteObject(t.bucket, t.Key("object")), "delete")
	left, err := other.Exists(tenantContainers[1], t.Key("object"))
	t.NoError(err, "look for the copy around the plugin")
	if left {
		t.Fatalf("the copy is still there")
	}
}
