package checks

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
)

func snapshotCopyChecks() []check {
	return []check{
		{title: "with copyToRegions and wait: completed a snapshot has a complete copy in the other region, which names its origin", ownKeys: true, run: copiesToTheOtherRegion},
		{title: "a cluster in the other region restores a volume from the copy, by the id that the backup recorded", ownKeys: true, run: func(t *T) { restoresInTheOtherRegion(t, false) }},
		{title: "while the home region is lost, a cluster in the other region restores a volume from the copy", needs: []Capability{LosesRegions}, ownKeys: true, run: func(t *T) { restoresInTheOtherRegion(t, true) }},
		{title: "without a zone to go to nothing is created in the other region, and both keys are named", ownKeys: true, run: refusesUnknownZone},
		{title: "deleting a snapshot deletes its copy", ownKeys: true, run: deletesTheCopy},
		{title: "a copied snapshot is deleted in its own region, although the other region was opened last", ownKeys: true, run: deletesTheOriginFirst},
		{title: "while the region of its copy is lost a snapshot is not deleted, so that no copy is left behind", needs: []Capability{LosesRegions}, ownKeys: true, run: keepsASnapshotWithItsCopy},
	}
}

// copied makes a volume and a snapshot of it in the first region, with a copy in the second one.
func (t *T) copied() (vsv1.VolumeSnapshotter, string, *cloud.Snapshot) {
	home, there := t.ec2.Regions[0], t.ec2.Regions[1]
	id := t.createVolume(home, cloud.VolumeRequest{Type: "gp3", SizeGiB: 12, Tags: map[string]string{"Name": "db"}})
	config := t.volumeConfig(home, map[string]string{"copyToRegions": there, "wait": "completed"})
	snapshotter, err := t.Session().VolumeSnapshotter(config)
	t.NoError(err, "init")
	snapshotID, err := snapshotter.CreateSnapshot(id, home+"a", serverTags)
	t.NoError(err, "create a snapshot")
	return snapshotter, snapshotID, t.copyOf(there, snapshotID)
}

// copyOf returns the only copy of a snapshot in a region; nil when there is none.
func (t *T) copyOf(region, snapshotID string) *cloud.Snapshot {
	copies, err := t.cloudEC2().SnapshotsWithTag(region, "flotilla.io/copy-of", snapshotID)
	t.NoError(err, "look for copies around the plugin")
	if len(copies) > 1 {
		t.Fatalf("%d copies of %s in %s", len(copies), snapshotID, region)
	}
	if len(copies) == 0 {
		return nil
	}
	return &copies[0]
}

func (t *T) snapshotterThere(changes map[string]string) vsv1.VolumeSnapshotter {
	snapshotter, err := t.Session().VolumeSnapshotter(t.volumeConfig(t.ec2.Regions[1], changes))
	t.NoError(err, "init in the other region")
	return snapshotter
}

func copiesToTheOtherRegion(t *T) {
	_, snapshotID, copied := t.copied()

	if copied == nil {
		t.Fatalf("%s has no copy", snapshotID)
	}
	tags := cloud.TagMap(copied.Tags)
	got := fmt.Sprint(copied.State, " ", tags["flotilla.io/copy-from"], " ", tags["Name"], " ", tags["velero.io/backup"])
	if want := fmt.Sprint("completed ", t.ec2.Regions[0], " db nightly"); got != want {
		t.Fatalf("the copy is %s, want %s", got, want)
	}
}

func restoresInTheOtherRegion(t *T, isLost bool) {
	home, there := t.ec2.Regions[0], t.ec2.Regions[1]
	_, snapshotID, copied := t.copied()
	if copied == nil {
		t.Fatalf("%s has no copy", snapshotID)
	}
	if isLost {
		t.lose(t.ec2.Control, home)
		_, err := t.cloudEC2().Snapshot(home, snapshotID)
		t.Fails(err, "describe the snapshot at home around the plugin")
	}
	snapshotter := t.snapshotterThere(map[string]string{"zoneMap": home + "a=" + there + "b"})

	restoredID, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, "gp3", home+"a", nil)
	t.NoError(err, "create a volume from the snapshot's recorded id")
	written, err := snapshotter.SetVolumeID(csiVolume("ebs.csi.aws.com", "vol-0a1"), restoredID)
	t.NoError(err, "set the volume id")

	restored := t.volume(there, restoredID)
	got := fmt.Sprint(restored.Zone, " ", restored.SnapshotID, " ", cloud.TagMap(restored.Tags)["Name"])
	if want := fmt.Sprint(there, "b ", copied.ID, " db"); got != want {
		t.Fatalf("the volume is %s, want %s", got, want)
	}
	accessor, err := meta.Accessor(written)
	t.NoError(err, "read the PersistentVolume")
	if zone := accessor.GetLabels()[zoneLabel]; zone != there+"b" {
		t.Fatalf("the PersistentVolume says that it is in %q", zone)
	}
}

func refusesUnknownZone(t *T) {
	_, snapshotID, _ := t.copied()
	snapshotter := t.snapshotterThere(nil)

	_, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, "gp3", t.ec2.Regions[0]+"a", nil)

	text := t.Fails(err, "create a volume")
	if !strings.Contains(text, "zoneMap") || !strings.Contains(text, "defaultZone") {
		t.Fatalf("the keys are not named in: %s", text)
	}
}

func deletesTheCopy(t *T) {
	snapshotter, snapshotID, _ := t.copied()

	t.NoError(snapshotter.DeleteSnapshot(snapshotID), "delete")

	if left := t.copyOf(t.ec2.Regions[1], snapshotID); left != nil {
		t.Fatalf("the copy %s is still there", left.ID)
	}
}

func deletesTheOriginFirst(t *T) {
	_, snapshotID, _ := t.copied()
	session := t.Session()
	t.SnapshotterIn(session, t.ec2.Regions[0])
	last := t.SnapshotterIn(session, t.ec2.Regions[1])

	t.NoError(last.DeleteSnapshot(snapshotID), "delete")

	left, err := t.cloudEC2().Snapshot(t.ec2.Regions[0], snapshotID)
	t.NoError(err, "describe around the plugin")
	if left != nil {
		t.Fatalf("%s is still there, though its deletion succeeded", snapshotID)
	}
}

func keepsASnapshotWithItsCopy(t *T) {
	home, there := t.ec2.Regions[0], t.ec2.Regions[1]
	snapshotter, snapshotID, _ := t.copied()
	restore := t.lose(t.ec2.Control, there)

	t.Fails(snapshotter.DeleteSnapshot(snapshotID), "delete")

	t.snapshot(home, snapshotID)
	restore()
	t.whenItIsBack("delete", func() error { return snapshotter.DeleteSnapshot(snapshotID) })
	if left := t.copyOf(there, snapshotID); left != nil {
		t.Fatalf("the copy %s is left behind", left.ID)
	}
}
