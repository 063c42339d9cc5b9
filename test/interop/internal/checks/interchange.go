package checks

import (
	"fmt"

	"flotilla.io/test/interop/internal/body"
	"flotilla.io/test/interop/internal/cloud"
	"flotilla.io/test/interop/internal/veleroserver"
)

// direction is who makes something and who then uses it.
type direction struct {
	maker, user string
	makes, uses func(t *T) *veleroserver.Server
}

func directions() []direction {
	ours := func(t *T) *veleroserver.Server { return t.plugin }
	theirs := func(t *T) *veleroserver.Server { return t.other }
	return []direction{{"by the other plugin", "this one", theirs, ours}, {"by this plugin", "the other one", ours, theirs}}
}

func objectInterchangeChecks() []check {
	var checks []check
	for _, way := range directions() {
		for _, algorithm := range append(checksumAlgorithms, "CRC64NVME") {
			checks = append(checks, check{
				title: fmt.Sprintf("what is written with %s %s is read by %s", checksumName(algorithm), way.maker, way.user),
				run:   func(t *T) { exchangesObjects(t, way, algorithm) },
			})
		}
	}
	return checks
}

func exchangesObjects(t *T, way direction, algorithm string) {
	writer, err := t.sessionOf(way.makes(t)).ObjectStore(t.objectConfig(map[string]string{"checksumAlgorithm": algorithm}))
	t.NoError(err, "init of the writer")
	reader, err := t.sessionOf(way.uses(t)).ObjectStore(t.objectConfig(nil))
	t.NoError(err, "init of the reader")
	// The other plugin asks for the checksum of each part only, also with CRC32.
	for index, size := range t.sizesWith("of parts " + algorithm) {
		want, key := body.Body{Seed: uint64(80 + index), Size: size}, t.Key(fmt.Sprint(index))
		t.NoError(writer.PutObject(t.bucket, key, want.Reader()), fmt.Sprintf("put %d bytes", size))
		t.NoError(readBack(reader, t.bucket, key, want), fmt.Sprintf("get %d bytes", size))
	}
	keys, err := reader.ListObjects(t.bucket, t.prefix)
	t.NoError(err, "list")
	for _, key := range keys {
		t.NoError(reader.DeleteObject(t.bucket, key), "delete")
	}
}

func volumeInterchangeChecks() []check {
	var checks []check
	for _, way := range directions() {
		checks = append(checks,
			check{title: "a snapshot made " + way.maker + " is restored by " + way.user, run: func(t *T) { exchangesSnapshot(t, way) }},
			check{title: "a snapshot made " + way.maker + " is deleted by " + way.user, run: func(t *T) { deletesOthersSnapshot(t, way) }},
		)
	}
	return checks
}

func (t *T) snapshotBy(way direction, region string) string {
	id := t.createVolume(region, cloud.VolumeRequest{Type: "io2", IOPS: 3000, Tags: map[string]string{"Name": "db"}})
	snapshotID, err := t.SnapshotterIn(t.sessionOf(way.makes(t)), region).CreateSnapshot(id, region+"a", serverTags)
	t.NoError(err, "create a snapshot")
	t.completed(region, snapshotID)
	return snapshotID
}

func exchangesSnapshot(t *T, way direction) {
	region := t.ec2.Regions[0]
	snapshotID := t.snapshotBy(way, region)
	iops := int64(3000)

	restoredID, err := t.SnapshotterIn(t.sessionOf(way.uses(t)), region).CreateVolumeFromSnapshot(snapshotID, "io2", region+"a", &iops)

	t.NoError(err, "create a volume from the snapshot")
	restored := t.volume(region, restoredID)
	if restored.Type != "io2" || restored.IOPS != 3000 || cloud.TagMap(restored.Tags)["Name"] != "db" {
		t.Fatalf("restored as %s with IOPS %d and tags %v", restored.Type, restored.IOPS, restored.Tags)
	}
}

func deletesOthersSnapshot(t *T, way direction) {
	region := t.ec2.Regions[0]
	snapshotID := t.snapshotBy(way, region)

	t.NoError(t.SnapshotterIn(t.sessionOf(way.uses(t)), region).DeleteSnapshot(snapshotID), "delete")

	left, err := t.cloudEC2().Snapshot(region, snapshotID)
	t.NoError(err, "describe around the plugin")
	if left != nil {
		t.Fatalf("the snapshot is still there")
	}
}
