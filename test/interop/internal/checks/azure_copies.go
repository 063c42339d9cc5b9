package checks

import (
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/cloud"
)

func azureCopyChecks() []check {
	return []check{
		{title: "an object is copied to a container of another account and served from there, byte for byte, when it is gone", only: "azure", needs: []Capability{Tenants}, ownKeys: true, run: func(t *T) { servesAzureCopy(t, 3*mib, "256Mi") }},
		{title: "an object above copyCutoff is copied in blocks that the store reads from the other account", only: "azure", needs: []Capability{Tenants}, ownKeys: true, run: func(t *T) { servesAzureCopy(t, 5*mib+7, "1Mi") }},
	}
}

func azureSnapshotCopyChecks() []check {
	return []check{
		{title: "copyToRegions without incremental is refused at Init, and the key to set is named", run: refusesCopiesOfFullSnapshots},
		{title: "a cluster in the other region restores a volume from the copy, by the id that the backup recorded", run: restoresDiskInOtherRegion},
		{title: "without a zone to go to nothing is created in the other region, and both keys are named", run: refusesUnknownAzureZone},
		{title: "deleting a snapshot deletes its copy in the other region", run: deletesDiskSnapshotCopy},
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

const azureOtherRegion = "westus2"

// copiedDisk makes a disk and a snapshot of it, with a copy in the other region and the other resource group.
func (t *T) copiedDisk() (string, func(snapshotID string) error) {
	disk := t.createDisk(cloud.DiskRequest{Zone: "1", Tags: map[string]string{"team": "shop"}})
	snapshotter := t.azureSnapshotterIn(t.Session(), map[string]string{
		"incremental": "true", "wait": "completed", "copyToRegions": azureOtherRegion + "?resourceGroup=" + t.arm.OtherResourceGroup,
	})
	id, err := snapshotter.CreateSnapshot(disk, t.arm.Location+"-1", serverTags)
	t.NoError(err, "create a snapshot")
	return id, snapshotter.DeleteSnapshot
}

func (t *T) otherRegion(changes map[string]string) map[string]string {
	config := map[string]string{"resourceGroup": t.arm.OtherResourceGroup, "region": azureOtherRegion}
	for key, value := range changes {
		config[key] = value
	}
	return config
}

func refusesCopiesOfFullSnapshots(t *T) {
	_, err := t.Session().VolumeSnapshotter(t.azureVolumeConfig(map[string]string{"copyToRegions": azureOtherRegion}))
	if text := t.Fails(err, "init"); !strings.Contains(text, `incremental to "true"`) {
		t.Fatalf("the key is not named in: %s", text)
	}
}

func restoresDiskInOtherRegion(t *T) {
	snapshotID, _ := t.copiedDisk()
	there := t.azureSnapshotterIn(t.Session(), t.otherRegion(map[string]string{"zoneMap": t.arm.Location + "-1=" + azureOtherRegion + "-3"}))

	name, err := there.CreateVolumeFromSnapshot(snapshotID, "Premium_LRS", t.arm.Location+"-1", nil)
	t.NoError(err, "create a disk from the snapshot's recorded id")
	written, err := there.SetVolumeID(csiVolume(azureDriver, t.armID("disks", t.arm.ResourceGroup, "former")), name)
	t.NoError(err, "set the volume id")

	restored := t.resource(t.armID("disks", t.arm.ResourceGroup, name))
	got := fmt.Sprint(restored.Location, " ", restored.Zones, " ", restored.Tags["team"])
	if want := azureOtherRegion + " [3] shop"; got != want {
		t.Fatalf("the disk is %s, want %s", got, want)
	}
	accessor, err := meta.Accessor(written)
	t.NoError(err, "read the PersistentVolume")
	if zone := accessor.GetLabels()[zoneLabel]; zone != azureOtherRegion+"-3" {
		t.Fatalf("the PersistentVolume says that it is in %q", zone)
	}
}

func refusesUnknownAzureZone(t *T) {
	snapshotID, _ := t.copiedDisk()
	there := t.azureSnapshotterIn(t.Session(), t.otherRegion(nil))

	_, err := there.CreateVolumeFromSnapshot(snapshotID, "Premium_LRS", t.arm.Location+"-1", nil)

	text := t.Fails(err, "create a disk")
	if !strings.Contains(text, "zoneMap") || !strings.Contains(text, "defaultZone") {
		t.Fatalf("the keys are not named in: %s", text)
	}
}

func deletesDiskSnapshotCopy(t *T) {
	snapshotID, remove := t.copiedDisk()

	t.NoError(remove(snapshotID), "delete")

	t.isGone(snapshotID)
	left, err := t.cloudARM().SnapshotsIn(t.arm.SubscriptionID, t.arm.OtherResourceGroup)
	t.NoError(err, "list around the plugin")
	for _, snapshot := range left {
		if snapshot.Tags["flotilla.io-copy-of"] == snapshotID {
			t.Fatalf("the copy %s is still there", snapshot.ID)
		}
	}
}
