package checks

import (
	"fmt"
	"os"
	"strings"

	"flotilla.io/test/interop/internal/cloud"
)

func volumeChecksInOneRegion() []check {
	return []check{
		{title: "type and IOPS of an io2 volume are told", run: func(t *T) { tellsInfo(t, cloud.VolumeRequest{Type: "io2", IOPS: 4000}, 4000) }},
		{
			title: "type and IOPS of a gp3 volume are told", faults: faults{"aws": {reason: "IOPS are told for io1 and io2 only", shows: "IOPS 0, want 5000"}},
			run: func(t *T) { tellsInfo(t, cloud.VolumeRequest{Type: "gp3", IOPS: 5000, Throughput: 250}, 5000) },
		},
		{title: "the type of an st1 volume is told, without IOPS", run: func(t *T) { tellsInfo(t, cloud.VolumeRequest{Type: "st1", SizeGiB: 125}, 0) }},
		{title: "asking about a volume that does not exist is an error that names it", run: refusesUnknownVolume},
		{title: "a snapshot carries the server's tags and the volume's", run: snapshotsWithTags},
		{title: "a snapshot of a volume that does not exist is an error", run: refusesSnapshotOfNothing},
		{title: "a volume made from a snapshot has its type, zone, IOPS and tags", run: restores},
		{
			title: "a volume from a snapshot that does not exist is an error that names it", run: refusesRestoreOfNothing,
			faults: faults{"aws": {reason: "names what the server's text names, here nothing", shows: "is not named in", on: "moto"}},
		},
		{title: "deleting a snapshot removes it, and deleting it again succeeds", run: deletesSnapshotTwice},
		{title: "a location without region is refused at Init", run: refusesMissingRegion},
		{title: "an unknown key is refused at Init and named", run: refusesUnknownVolumeKey},
		{title: "after kill -9 the next call finds a new process, initialized again", run: restartsSnapshotter},
		{
			title: "gp3 throughput survives snapshot and restore", faults: faults{"aws": {reason: "IOPS and throughput of gp3 are lost", shows: "restored with throughput"}},
			run: restoresThroughput,
		},
		{title: "with wait: completed a snapshot is complete when the call returns", ownKeys: true, run: waitsForCompletion},
		{title: "the key endpoint of the location is used", ownKeys: true, run: usesTheEndpointKey},
	}
}

func (t *T) createVolume(region string, request cloud.VolumeRequest) string {
	if request.SizeGiB == 0 {
		request.SizeGiB = 10
	}
	request.Zone = region + "a"
	id, err := t.cloudEC2().CreateVolume(region, request)
	t.NoError(err, "create a volume around the plugin")
	return id
}

func tellsInfo(t *T, request cloud.VolumeRequest, wantIOPS int64) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, request)
	snapshotter, _ := t.Snapshotter(region)

	volumeType, iops, err := snapshotter.GetVolumeInfo(id, region+"a")

	t.NoError(err, "get volume info")
	if volumeType != request.Type {
		t.Fatalf("type %q, want %q", volumeType, request.Type)
	}
	// The wire has no absent number: 0 and nil are the same to the server.
	var got int64
	if iops != nil {
		got = *iops
	}
	if got != wantIOPS {
		t.Fatalf("IOPS %d, want %d", got, wantIOPS)
	}
}

const noSuchVolume, noSuchSnapshot = "vol-0123456789abcdef0", "snap-0123456789abcdef0"

func refusesUnknownVolume(t *T) {
	snapshotter, _ := t.Snapshotter(t.ec2.Regions[0])

	_, _, err := snapshotter.GetVolumeInfo(noSuchVolume, t.ec2.Regions[0]+"a")

	if text := t.Fails(err, "get volume info"); !strings.Contains(text, noSuchVolume) {
		t.Fatalf("the volume is not named in: %s", text)
	}
}

var serverTags = map[string]string{"velero.io/backup": "nightly", "velero.io/pv": "pv-1", "velero.io/storage-location": "default"}

func snapshotsWithTags(t *T) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, cloud.VolumeRequest{Type: "gp3", Tags: map[string]string{"Name": "db", "velero.io/backup": "old"}})
	snapshotter, _ := t.Snapshotter(region)

	snapshotID, err := snapshotter.CreateSnapshot(id, region+"a", serverTags)

	t.NoError(err, "create a snapshot")
	snapshot := t.snapshot(region, snapshotID)
	if snapshot.VolumeID != id {
		t.Fatalf("it is a snapshot of %s", snapshot.VolumeID)
	}
	got := cloud.TagMap(snapshot.Tags)
	want := map[string]string{"Name": "db"}
	for key, value := range serverTags {
		want[key] = value
	}
	for key, value := range want {
		if got[key] != value {
			t.Fatalf("tag %s is %q, want %q", key, got[key], value)
		}
	}
}

func (t *T) snapshot(region, id string) *cloud.Snapshot {
	if !strings.HasPrefix(id, "snap-") {
		t.Fatalf("the snapshot id %q has not the form that backups record", id)
	}
	snapshot, err := t.cloudEC2().Snapshot(region, id)
	t.NoError(err, "describe the snapshot around the plugin")
	if snapshot == nil {
		t.Fatalf("%s does not exist in %s", id, region)
	}
	return snapshot
}

func refusesSnapshotOfNothing(t *T) {
	snapshotter, _ := t.Snapshotter(t.ec2.Regions[0])
	_, err := snapshotter.CreateSnapshot(noSuchVolume, t.ec2.Regions[0]+"a", serverTags)
	if text := t.Fails(err, "create a snapshot"); !strings.Contains(text, noSuchVolume) {
		t.Fatalf("the volume is not named in: %s", text)
	}
}

func restores(t *T) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, cloud.VolumeRequest{Type: "io2", IOPS: 3000, Tags: map[string]string{"Name": "db"}})
	snapshotter, _ := t.Snapshotter(region)
	snapshotID, err := snapshotter.CreateSnapshot(id, region+"a", serverTags)
	t.NoError(err, "create a snapshot")
	t.completed(region, snapshotID)
	iops := int64(3000)

	restoredID, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, "io2", region+"b", &iops)

	t.NoError(err, "create a volume from the snapshot")
	restored := t.volume(region, restoredID)
	got := fmt.Sprint(restored.Type, " ", restored.Zone, " ", restored.IOPS, " ", restored.SnapshotID, " ", cloud.TagMap(restored.Tags)["Name"])
	if want := fmt.Sprint("io2 ", region, "b 3000 ", snapshotID, " db"); got != want {
		t.Fatalf("the volume is %s, want %s", got, want)
	}
}

func (t *T) volume(region, id string) *cloud.Volume {
	found, err := t.cloudEC2().Volume(region, id)
	t.NoError(err, "describe the volume around the plugin")
	if found == nil {
		t.Fatalf("volume %s does not exist in %s", id, region)
	}
	return found
}

// completed waits until a snapshot can be restored, which takes a while in the cloud.
func (t *T) completed(region, id string) {
	t.NoError(eventually(patience, func() error {
		if state := t.snapshot(region, id).State; state != "completed" {
			return fmt.Errorf("%s is %s", id, state)
		}
		return nil
	}), "wait for the snapshot")
}

func refusesRestoreOfNothing(t *T) {
	snapshotter, _ := t.Snapshotter(t.ec2.Regions[0])
	_, err := snapshotter.CreateVolumeFromSnapshot(noSuchSnapshot, "gp3", t.ec2.Regions[0]+"a", nil)
	if text := t.Fails(err, "create a volume"); !strings.Contains(text, noSuchSnapshot) {
		t.Fatalf("the snapshot is not named in: %s", text)
	}
}

func deletesSnapshotTwice(t *T) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, cloud.VolumeRequest{Type: "gp3"})
	snapshotter, _ := t.Snapshotter(region)
	snapshotID, err := snapshotter.CreateSnapshot(id, region+"a", serverTags)
	t.NoError(err, "create a snapshot")

	t.NoError(snapshotter.DeleteSnapshot(snapshotID), "delete")

	found, err := t.cloudEC2().Snapshot(region, snapshotID)
	t.NoError(err, "describe around the plugin")
	if found != nil {
		t.Fatalf("the snapshot is still there")
	}
	t.NoError(snapshotter.DeleteSnapshot(snapshotID), "second delete")
}

func (t *T) volumeInitError(config map[string]string) error {
	_, err := t.Session().VolumeSnapshotter(config)
	return err
}

func refusesMissingRegion(t *T) {
	config := t.volumeConfig("", nil)
	delete(config, "region")
	if text := t.Fails(t.volumeInitError(config), "init"); !strings.Contains(text, "region") {
		t.Fatalf("region is not named in: %s", text)
	}
}

func refusesUnknownVolumeKey(t *T) {
	text := t.Fails(t.volumeInitError(t.volumeConfig(t.ec2.Regions[0], map[string]string{"bogusKey": "x"})), "init")
	if !strings.Contains(text, "bogusKey") {
		t.Fatalf("the key is not named in: %s", text)
	}
}

func restartsSnapshotter(t *T) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, cloud.VolumeRequest{Type: "gp3"})
	snapshotter, session := t.Snapshotter(region)

	kill(t, session)

	t.NoError(eventually(patience, func() error {
		_, _, err := snapshotter.GetVolumeInfo(id, region+"a")
		return err
	}), "get volume info")
	if started := len(session.ProcessIDs()); started != 2 {
		t.Fatalf("%d processes were started", started)
	}
}

func restoresThroughput(t *T) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, cloud.VolumeRequest{Type: "gp3", SizeGiB: 20, IOPS: 6000, Throughput: 400})
	snapshotter, _ := t.Snapshotter(region)
	volumeType, iops, err := snapshotter.GetVolumeInfo(id, region+"a")
	t.NoError(err, "get volume info")
	snapshotID, err := snapshotter.CreateSnapshot(id, region+"a", serverTags)
	t.NoError(err, "create a snapshot")
	t.completed(region, snapshotID)

	restoredID, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, volumeType, region+"a", iops)

	t.NoError(err, "create a volume from the snapshot")
	if restored := t.volume(region, restoredID); restored.Throughput != 400 || restored.IOPS != 6000 {
		t.Fatalf("restored with throughput %d and IOPS %d", restored.Throughput, restored.IOPS)
	}
}

func waitsForCompletion(t *T) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, cloud.VolumeRequest{Type: "gp3"})
	snapshotter, err := t.Session().VolumeSnapshotter(t.volumeConfig(region, map[string]string{"wait": "completed"}))
	t.NoError(err, "init")

	snapshotID, err := snapshotter.CreateSnapshot(id, region+"a", serverTags)

	t.NoError(err, "create a snapshot")
	if state := t.snapshot(region, snapshotID).State; state != "completed" {
		t.Fatalf("the snapshot is %s", state)
	}
}

func usesTheEndpointKey(t *T) {
	region := t.ec2.Regions[0]
	id := t.createVolume(region, cloud.VolumeRequest{Type: "gp3"})
	// The environment leads nowhere, so only the key can be what reaches the target.
	t.NoError(os.Setenv(endpointVariable, "http://127.0.0.1:1"), "set the environment")
	t.Cleanup(func() { _ = os.Setenv(endpointVariable, t.ec2.Endpoint) })
	snapshotter, err := t.Session().VolumeSnapshotter(t.volumeConfig(region, map[string]string{"endpoint": t.ec2.Endpoint}))
	t.NoError(err, "init")

	_, _, err = snapshotter.GetVolumeInfo(id, region+"a")

	t.NoError(err, "get volume info")
}
