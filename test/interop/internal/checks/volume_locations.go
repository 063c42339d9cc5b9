package checks

import (
	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
)

func volumeLocationChecks() []check {
	return []check{
		{
			title:  "two locations of two regions, interleaved in one process, each find their own volumes",
			faults: faults{"aws": {reason: oneConfigurationPerName, shows: "InvalidVolume.NotFound"}}, run: findsVolumesOfBothRegions,
		},
		{
			title:  "with two locations of two regions a deleted snapshot is gone from its own region",
			faults: faults{"aws": {reason: oneConfigurationPerName + ", and a snapshot not found there counts as deleted", shows: "InvalidVolume.NotFound"}}, run: deletesInBothRegions,
		},
		{
			title:  "with two locations of two regions a volume is restored in its snapshot's region",
			faults: faults{"aws": {reason: oneConfigurationPerName, shows: "InvalidVolume.NotFound"}}, run: restoresInBothRegions,
		},
	}
}

func (t *T) snapshottersOfBothRegions() []vsv1.VolumeSnapshotter {
	session := t.Session()
	var snapshotters []vsv1.VolumeSnapshotter
	for _, region := range t.ec2.Regions {
		snapshotters = append(snapshotters, t.SnapshotterIn(session, region))
	}
	return snapshotters
}

func findsVolumesOfBothRegions(t *T) {
	var volumes []string
	for _, region := range t.ec2.Regions {
		volumes = append(volumes, t.createVolume(region, cloud.VolumeRequest{Type: "io2", IOPS: 2000}))
	}
	snapshotters := t.snapshottersOfBothRegions()
	for range 2 {
		for index, region := range t.ec2.Regions {
			volumeType, _, err := snapshotters[index].GetVolumeInfo(volumes[index], region+"a")
			t.NoError(err, "get volume info in "+region)
			if volumeType != "io2" {
				t.Fatalf("type %q in %s", volumeType, region)
			}
		}
	}
}

func (t *T) snapshotsOfBothRegions(snapshotters []vsv1.VolumeSnapshotter) []string {
	var snapshots []string
	for index, region := range t.ec2.Regions {
		id := t.createVolume(region, cloud.VolumeRequest{Type: "gp3", Tags: map[string]string{"region": region}})
		snapshotID, err := snapshotters[index].CreateSnapshot(id, region+"a", serverTags)
		t.NoError(err, "create a snapshot in "+region)
		t.completed(region, snapshotID)
		snapshots = append(snapshots, snapshotID)
	}
	return snapshots
}

func deletesInBothRegions(t *T) {
	snapshotters := t.snapshottersOfBothRegions()
	snapshots := t.snapshotsOfBothRegions(snapshotters)
	for index, region := range t.ec2.Regions {
		t.NoError(snapshotters[index].DeleteSnapshot(snapshots[index]), "delete in "+region)
	}
	for index, region := range t.ec2.Regions {
		left, err := t.cloudEC2().Snapshot(region, snapshots[index])
		t.NoError(err, "describe around the plugin")
		if left != nil {
			t.Fatalf("%s is still in %s, though its deletion succeeded", left.ID, region)
		}
	}
}

func restoresInBothRegions(t *T) {
	snapshotters := t.snapshottersOfBothRegions()
	snapshots := t.snapshotsOfBothRegions(snapshotters)
	for index, region := range t.ec2.Regions {
		id, err := snapshotters[index].CreateVolumeFromSnapshot(snapshots[index], "gp3", region+"a", nil)
		t.NoError(err, "create a volume in "+region)
		if restored := t.volume(region, id); cloud.TagMap(restored.Tags)["region"] != region {
			t.Fatalf("the volume in %s has the tags %v", region, restored.Tags)
		}
	}
}
