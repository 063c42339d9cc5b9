package checks

import (
	"fmt"
	"strings"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
)

func gcpSnapshotCopyChecks() []check {
	return []check{
		{title: "with copyToRegions and wait: completed a snapshot has a complete copy stored in the other region, which names its origin, and no disk is left", ownKeys: true, run: copiesGCESnapshot},
		{title: "a cluster in the other region restores a disk by the id that the backup recorded", ownKeys: true, run: func(t *T) { restoresGCEDiskElsewhere(t, false) }},
		{title: "while the home region is lost with its snapshots, a cluster in the other region restores a disk from the copy", ownKeys: true, run: func(t *T) { restoresGCEDiskElsewhere(t, true) }},
		{title: "deleting a snapshot of a disk deletes its copy in the other region", ownKeys: true, run: deletesTheCopyOfAGCEDisk},
	}
}

// copiedGCEDisk makes a disk at home and a snapshot of it, stored there, with a copy stored in the other region.
func (t *T) copiedGCEDisk() (vsv1.VolumeSnapshotter, string) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{Type: "pd-ssd", SizeGB: 20, Labels: map[string]string{"team": "shop"}})
	snapshotter := t.gcpSnapshotterIn(t.Session(), map[string]string{
		"snapshotLocation": t.gce.Region, "copyToRegions": t.gce.OtherRegion, "wait": "completed",
	})
	id, err := snapshotter.CreateSnapshot(disk, t.zone(0).zones, serverTags)
	t.NoError(err, "create a snapshot")
	return snapshotter, id
}

// gceCopyOf returns the only copy of a snapshot; nil when there is none.
func (t *T) gceCopyOf(snapshotID string) *cloud.GCEResource {
	all, err := t.gce.api.Snapshots(t.gce.Project)
	t.NoError(err, "look for copies around the plugin")
	var copies []cloud.GCEResource
	for _, each := range all {
		if each.Name != snapshotID && strings.Contains(each.Description, snapshotID) {
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

// elsewhere is a zone of the other region.
func (t *T) elsewhere() diskPlace {
	zone := t.gce.OtherRegion + "-c"
	return diskPlace{path: "projects/" + t.gce.Project + "/zones/" + zone, zones: zone}
}

func copiesGCESnapshot(t *T) {
	_, snapshotID := t.copiedGCEDisk()

	copied := t.gceCopyOf(snapshotID)
	if copied == nil {
		t.Fatalf("%s has no copy", snapshotID)
	}
	tags := tagsIn(t, copied.Description)
	got := fmt.Sprint(copied.Status, " ", copied.StorageLocations, " ", tags["flotilla.io/copy-of"], " ", tags["velero.io/backup"])
	if want := fmt.Sprint("READY [", t.gce.OtherRegion, "] ", snapshotID, " nightly"); got != want {
		t.Fatalf("the copy is %s, want %s", got, want)
	}
	_, disk, _ := strings.Cut(copied.SourceDisk, "/compute/v1/")
	if left, err := t.gce.api.Find(disk); disk == "" || err != nil || left != nil {
		t.Fatalf("the disk %q by way of which the copy was made: %v, %v", disk, left, err)
	}
}

func restoresGCEDiskElsewhere(t *T, isLost bool) {
	home, there := t.zone(0), t.elsewhere()
	_, snapshotID := t.copiedGCEDisk()
	want := snapshotID
	if isLost {
		copied := t.gceCopyOf(snapshotID)
		if copied == nil {
			t.Fatalf("%s has no copy", snapshotID)
		}
		want = copied.Name
		t.lose(t.gce.Control, t.gce.Region)
		_, err := t.gce.api.Find(home.disk("any"))
		t.Fails(err, "read a disk at home around the plugin")
	}
	snapshotter := t.gcpSnapshotterIn(t.Session(), map[string]string{"zoneMap": home.zones + "=" + there.zones})
	recordedType := "https://www.googleapis.com/compute/v1/" + home.path + "/diskTypes/pd-ssd"

	name, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, recordedType, home.zones, nil)
	t.NoError(err, "create a disk from the snapshot's recorded id")
	handle := "projects/" + t.gce.Project + "/zones/" + home.zones + "/disks/former"
	written, err := snapshotter.SetVolumeID(csiVolume("pd.csi.storage.gke.io", handle), name)
	t.NoError(err, "set the volume id")

	t.NoError(t.gce.api.AwaitReady(there.disk(name)), "wait for the disk")
	restored := t.inGCE(there.disk(name))
	got := fmt.Sprint(lastOf(restored.Type), " ", restored.SizeGb, " ", restored.Labels["team"], " ", lastOf(restored.SourceSnapshot))
	if want := "pd-ssd 20 shop " + want; got != want {
		t.Fatalf("the disk is %s, want %s", got, want)
	}
	if text := asJSON(written.UnstructuredContent()); !strings.Contains(text, there.disk(name)) {
		t.Fatalf("the PersistentVolume does not name the disk: %s", text)
	}
}

func deletesTheCopyOfAGCEDisk(t *T) {
	snapshotter, snapshotID := t.copiedGCEDisk()

	t.NoError(snapshotter.DeleteSnapshot(snapshotID), "delete")

	t.leavesGCE(t.snapshotPath(snapshotID))
	if left := t.gceCopyOf(snapshotID); left != nil {
		t.Fatalf("the copy %s is still there", left.Name)
	}
}
