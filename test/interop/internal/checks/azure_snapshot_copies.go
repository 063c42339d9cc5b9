package checks

import (
	"fmt"
	"strings"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
)

func azureSnapshotCopyChecks() []check {
	return []check{
		{title: "copyToRegions without incremental is refused at Init, and the key to set is named", ownKeys: true, run: refusesCopiesOfFullSnapshots},
		{title: "with copyToRegions and wait: completed a snapshot has a complete copy in the other region, which names its origin", ownKeys: true, run: copiesDiskSnapshot},
		{title: "a cluster in the other region restores a disk from the copy, by the id that the backup recorded", ownKeys: true, run: func(t *T) { restoresDiskInTheOtherRegion(t, false) }},
		{title: "while the home region is lost, a cluster in the other region restores a disk from the copy", ownKeys: true, run: func(t *T) { restoresDiskInTheOtherRegion(t, true) }},
		{title: "without a zone to go to no disk is created in the other region, and both keys are named", ownKeys: true, run: refusesUnknownDiskZone},
		{title: "deleting a snapshot of a disk deletes its copy", ownKeys: true, run: deletesTheCopyOfADisk},
		{title: "while the region of its copy is lost a snapshot of a disk is not deleted, so that no copy is left behind", ownKeys: true, run: keepsADiskSnapshotWithItsCopy},
	}
}

// copiedDisk makes a disk in a zone at home and a snapshot of it, with a copy in the other region and resource group.
func (t *T) copiedDisk() (vsv1.VolumeSnapshotter, string) {
	disk := t.createDisk(cloud.DiskRequest{SKU: "StandardSSD_LRS", Zone: "1", SizeGiB: 16, Tags: map[string]string{"team": "shop"}})
	snapshotter := t.azureSnapshotterIn(t.Session(), map[string]string{
		"incremental": "true", "wait": "completed",
		"copyToRegions": fmt.Sprintf("%s?resourceGroup=%s", t.arm.OtherLocation, t.arm.OtherResourceGroup),
	})
	snapshotID, err := snapshotter.CreateSnapshot(disk, t.arm.Location+"-1", serverTags)
	t.NoError(err, "create a snapshot")
	return snapshotter, snapshotID
}

// diskCopyOf returns the only copy of a snapshot; nil when there is none.
func (t *T) diskCopyOf(snapshotID string) *cloud.Resource {
	all, err := t.cloudARM().SnapshotsIn(t.arm.SubscriptionID, t.arm.OtherResourceGroup)
	t.NoError(err, "look for copies around the plugin")
	var copies []cloud.Resource
	for _, each := range all {
		if strings.EqualFold(each.Tags["flotilla.io-copy-of"], snapshotID) {
			copies = append(copies, each)
		}
	}
	if len(copies) > 1 {
		t.Fatalf("%d copies of %s", len(copies), snapshotID)
	}
	if len(copies) == 0 {
		return nil
	}
	return &copies[0]
}

func (t *T) diskSnapshotterThere(changes map[string]string) vsv1.VolumeSnapshotter {
	config := map[string]string{"resourceGroup": t.arm.OtherResourceGroup, "region": t.arm.OtherLocation}
	for key, value := range changes {
		config[key] = value
	}
	return t.azureSnapshotterIn(t.Session(), config)
}

func refusesCopiesOfFullSnapshots(t *T) {
	text := t.Fails(t.volumeInitError(t.azureVolumeConfig(map[string]string{"copyToRegions": t.arm.OtherLocation})), "init")
	if !strings.Contains(text, `incremental to "true"`) {
		t.Fatalf("the key is not named in: %s", text)
	}
}

func copiesDiskSnapshot(t *T) {
	_, snapshotID := t.copiedDisk()

	copied := t.diskCopyOf(snapshotID)
	if copied == nil {
		t.Fatalf("%s has no copy", snapshotID)
	}
	got := fmt.Sprint(
		copied.Location, " ", copied.Properties.CompletionPercent, " ", copied.Properties.Incremental, " ",
		copied.Tags["flotilla.io-copy-from"], " ", copied.Tags["team"], " ", copied.Tags["velero.io-backup"],
	)
	if want := fmt.Sprint(t.arm.OtherLocation, " 100 true ", t.arm.Location, " shop nightly"); got != want {
		t.Fatalf("the copy is %s, want %s", got, want)
	}
}

func restoresDiskInTheOtherRegion(t *T, isLost bool) {
	home, there := t.arm.Location, t.arm.OtherLocation
	_, snapshotID := t.copiedDisk()
	copied := t.diskCopyOf(snapshotID)
	if copied == nil {
		t.Fatalf("%s has no copy", snapshotID)
	}
	if isLost {
		t.lose(t.arm.Control, home)
		_, err := t.cloudARM().Find(snapshotID)
		t.Fails(err, "read the snapshot at home around the plugin")
	}
	snapshotter := t.diskSnapshotterThere(map[string]string{"zoneMap": home + "-1=" + there + "-2"})

	name, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, "StandardSSD_LRS", home+"-1", nil)
	t.NoError(err, "create a disk from the snapshot's recorded id")
	written, err := snapshotter.SetVolumeID(t.diskVolume(home), name)
	t.NoError(err, "set the volume id")

	restored := t.resource(t.armID("disks", t.arm.ResourceGroup, name))
	got := fmt.Sprint(restored.Location, " ", restored.Zones, " ", restored.SKU.Name, " ", restored.Properties.DiskSizeGB, " ", restored.Tags["team"])
	if want := fmt.Sprint(there, " [2] StandardSSD_LRS 16 shop"); got != want {
		t.Fatalf("the disk is %s, want %s", got, want)
	}
	if source := restored.Properties.CreationData.SourceResourceID; !strings.EqualFold(source, copied.ID) {
		t.Fatalf("it was made from %s, not from the copy %s", source, copied.ID)
	}
	text := asJSON(written.UnstructuredContent())
	if strings.Contains(text, home) || !strings.Contains(text, there+"-2") || !strings.Contains(text, name) {
		t.Fatalf("the PersistentVolume is %s", text)
	}
}

func refusesUnknownDiskZone(t *T) {
	_, snapshotID := t.copiedDisk()
	snapshotter := t.diskSnapshotterThere(nil)

	_, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, "StandardSSD_LRS", t.arm.Location+"-1", nil)

	text := t.Fails(err, "create a disk")
	if !strings.Contains(text, "zoneMap") || !strings.Contains(text, "defaultZone") {
		t.Fatalf("the keys are not named in: %s", text)
	}
}

func deletesTheCopyOfADisk(t *T) {
	snapshotter, snapshotID := t.copiedDisk()

	t.NoError(snapshotter.DeleteSnapshot(snapshotID), "delete")

	t.isGone(snapshotID)
	if left := t.diskCopyOf(snapshotID); left != nil {
		t.Fatalf("the copy %s is still there", left.ID)
	}
}

func keepsADiskSnapshotWithItsCopy(t *T) {
	snapshotter, snapshotID := t.copiedDisk()
	restore := t.lose(t.arm.Control, t.arm.OtherLocation)

	t.Fails(snapshotter.DeleteSnapshot(snapshotID), "delete")

	t.resource(snapshotID)
	restore()
	t.whenItIsBack("delete", func() error { return snapshotter.DeleteSnapshot(snapshotID) })
	if left := t.diskCopyOf(snapshotID); left != nil {
		t.Fatalf("the copy %s is left behind", left.ID)
	}
}
