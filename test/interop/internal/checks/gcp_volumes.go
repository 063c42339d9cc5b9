package checks

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"

	"flotilla.io/test/interop/internal/cloud"
)

func gcpVolumeChecks() []check {
	return append(gcpPersistentVolumeChecks(), []check{
		{title: "the type of a zonal disk is told as the URL that backups record", run: func(t *T) { tellsDiskType(t, t.zone(0), "pd-ssd") }},
		{title: "the type of a regional disk is told as the URL that backups record", run: func(t *T) { tellsDiskType(t, t.bothZones(), "pd-balanced") }},
		{title: "asking about a disk that does not exist is an error that names it", run: refusesUnknownGCEDisk},
		{title: "a snapshot has a name of the official form, the tags as JSON and the labels of the disk", run: func(t *T) { snapshotsGCEDisk(t, t.zone(0)) }},
		{title: "a snapshot of a regional disk has the same", run: func(t *T) { snapshotsGCEDisk(t, t.bothZones()) }},
		{title: "the name of a snapshot of a disk with a long name is cut as the official plugin cuts it", run: cutsGCESnapshotName},
		{
			title:  "a disk that somebody described in words is snapshotted with the server's tags alone, without a warning",
			faults: faults{"gcp": {reason: "warns of a description that is no JSON", shows: "lines that a backup counts"}}, run: snapshotsDescribedDisk,
		},
		{title: "a snapshot of a disk that does not exist is an error that names it", run: refusesSnapshotOfNoGCEDisk},
		{title: "snapshotLocation and snapshotType are those of the snapshot", run: snapshotsElsewhere},
		{title: "a disk made from a snapshot has the official form of name, its type, place, labels and tags", run: func(t *T) { restoresGCEDisk(t, t.zone(0)) }},
		{title: "a regional disk is restored as one", run: func(t *T) { restoresGCEDisk(t, t.bothZones()) }},
		{
			title:  "a disk is restored in another zone than its type was recorded in",
			faults: faults{"gcp": {reason: "the recorded URL of the type names the zone", shows: "must be of the same zone"}}, run: restoresInOtherZone,
		},
		{
			title:  "IOPS and throughput of a Hyperdisk survive snapshot and restore",
			faults: faults{"gcp": {reason: "they are lost", shows: "restored with"}}, run: restoresHyperdisk,
		},
		{title: "a snapshot that does not exist is an error that names it", run: refusesRestoreOfNoGCESnapshot},
		{title: "deleting a snapshot removes it, and deleting it again succeeds", run: deletesGCESnapshotTwice},
		{title: "an unknown key is refused at Init and named", run: func(t *T) { refusesGCEKey(t, "bogusKey", "x") }},
		{title: "an unknown snapshotType is refused at Init and named", run: func(t *T) { refusesGCEKey(t, "snapshotType", "FAST") }},
		{
			title:  "credentials whose account is gone are an error that does not read like a missing disk",
			faults: faults{"gcp": accountNotFound}, run: refusesGoneAccount,
		},
		{title: "after kill -9 the next call finds a new process, initialized again", run: restartsGCESnapshotter},
		{title: "with wait: completed a snapshot is ready when the call returns", ownKeys: true, run: waitsForGCESnapshot},
		{title: "the keys endpoint and caCert of the location are used", ownKeys: true, run: usesEndpointAndCACert},
	}...)
}

func tellsDiskType(t *T, place diskPlace, diskType string) {
	disk := t.createDiskIn(place, cloud.GCEDiskRequest{Type: diskType})
	snapshotter, _ := t.AnySnapshotter()

	volumeType, iops, err := snapshotter.GetVolumeInfo(disk, place.zones)

	t.NoError(err, "get volume info")
	want := "https://www.googleapis.com/compute/v1/" + place.path + "/diskTypes/" + diskType
	if volumeType != want || (iops != nil && *iops != 0) {
		t.Fatalf("type %q, IOPS %v", volumeType, iops)
	}
}

func refusesUnknownGCEDisk(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	_, _, err := snapshotter.GetVolumeInfo(noSuchDisk, t.zone(0).zones)
	if text := t.Fails(err, "get volume info"); !strings.Contains(text, noSuchDisk) {
		t.Fatalf("the disk is not named in: %s", text)
	}
}

// kubernetesTags are what the CSI driver writes into the description of a disk.
const kubernetesTags = `{"kubernetes.io/created-for/pv/name":"pv-1","velero.io/backup":"old"}`

func tagsIn(t *T, description string) map[string]string {
	var tags map[string]string
	t.NoError(json.Unmarshal([]byte(description), &tags), "parse the description "+description)
	return tags
}

func snapshotsGCEDisk(t *T, place diskPlace) {
	labels := map[string]string{"team": "shop", "velero-test": "yes"}
	disk := t.createDiskIn(place, cloud.GCEDiskRequest{Labels: labels, Description: kubernetesTags})
	snapshotter, _ := t.AnySnapshotter()

	id := t.gcpSnapshotOf(snapshotter, disk, place)

	if !regexp.MustCompile("^" + disk + "-" + uuidPattern + "$").MatchString(id) {
		t.Fatalf("the id is %s", id)
	}
	snapshot := t.inGCE(t.snapshotPath(id))
	want := map[string]string{"kubernetes.io/created-for/pv/name": "pv-1"}
	maps.Copy(want, serverTags)
	if got := tagsIn(t, snapshot.Description); !maps.Equal(got, want) {
		t.Fatalf("the tags are %v, want %v", got, want)
	}
	if !maps.Equal(snapshot.Labels, labels) || !strings.HasSuffix(snapshot.SourceDisk, place.disk(disk)) || snapshot.SnapshotType != "STANDARD" {
		t.Fatalf("it is %+v", snapshot)
	}
}

func cutsGCESnapshotName(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{Name: strings.Repeat("d", 63)})
	snapshotter, _ := t.AnySnapshotter()

	id := t.gcpSnapshotOf(snapshotter, disk, t.zone(0))

	if !regexp.MustCompile("^d{26}-" + uuidPattern + "$").MatchString(id) {
		t.Fatalf("the id is %s", id)
	}
}

func snapshotsDescribedDisk(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{Description: "the shop's database"})
	snapshotter, _ := t.AnySnapshotter()

	id := t.gcpSnapshotOf(snapshotter, disk, t.zone(0))

	if got := tagsIn(t, t.inGCE(t.snapshotPath(id)).Description); !maps.Equal(got, serverTags) {
		t.Fatalf("the tags are %v", got)
	}
}

func refusesSnapshotOfNoGCEDisk(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	_, err := snapshotter.CreateSnapshot(noSuchDisk, t.zone(0).zones, serverTags)
	if text := t.Fails(err, "create a snapshot"); !strings.Contains(text, noSuchDisk) {
		t.Fatalf("the disk is not named in: %s", text)
	}
}

func snapshotsElsewhere(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{})
	keys := map[string]string{"snapshotLocation": "europe-west1", "snapshotType": "archive"}
	snapshotter := t.gcpSnapshotterIn(t.Session(), keys)

	snapshot := t.inGCE(t.snapshotPath(t.gcpSnapshotOf(snapshotter, disk, t.zone(0))))

	if snapshot.SnapshotType != "ARCHIVE" || strings.Join(snapshot.StorageLocations, ",") != "europe-west1" {
		t.Fatalf("its type is %s, stored in %v", snapshot.SnapshotType, snapshot.StorageLocations)
	}
}

func restoresGCEDisk(t *T, place diskPlace) {
	labels := map[string]string{"team": "shop"}
	disk := t.createDiskIn(place, cloud.GCEDiskRequest{Type: "pd-ssd", Labels: labels, Description: kubernetesTags})
	snapshotter, _ := t.AnySnapshotter()
	id := t.gcpSnapshotOf(snapshotter, disk, place)

	restored := t.restoredIn(place, snapshotter, id, t.typeOf(snapshotter, disk, place))

	if !regexp.MustCompile("^restore-" + uuidPattern + "$").MatchString(restored.Name) {
		t.Fatalf("the disk is named %q", restored.Name)
	}
	if lastOf(restored.Type) != "pd-ssd" || lastOf(restored.SourceSnapshot) != id || !maps.Equal(restored.Labels, labels) {
		t.Fatalf("it is %+v", restored)
	}
	if got := tagsIn(t, restored.Description); got["velero.io/backup"] != "nightly" || got["kubernetes.io/created-for/pv/name"] != "pv-1" {
		t.Fatalf("its tags are %v", got)
	}
	if len(restored.ReplicaZones) != len(place.replicas) {
		t.Fatalf("its replica zones are %v", restored.ReplicaZones)
	}
}

func restoresInOtherZone(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{Type: "pd-ssd"})
	snapshotter, _ := t.AnySnapshotter()
	id := t.gcpSnapshotOf(snapshotter, disk, t.zone(0))

	restored := t.restoredIn(t.zone(1), snapshotter, id, t.typeOf(snapshotter, disk, t.zone(0)))

	if lastOf(restored.Type) != "pd-ssd" {
		t.Fatalf("its type is %s", restored.Type)
	}
}

func restoresHyperdisk(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{Type: "hyperdisk-balanced", SizeGB: 20, Iops: 4000, Throughput: 250})
	snapshotter, _ := t.AnySnapshotter()
	id := t.gcpSnapshotOf(snapshotter, disk, t.zone(0))

	restored := t.restoredIn(t.zone(0), snapshotter, id, t.typeOf(snapshotter, disk, t.zone(0)))

	if restored.ProvisionedIops != "4000" || restored.ProvisionedThroughput != "250" {
		t.Fatalf("restored with IOPS %s and throughput %s", restored.ProvisionedIops, restored.ProvisionedThroughput)
	}
}

const noSuchGCESnapshot = "snapshot-that-nobody-made"

func refusesRestoreOfNoGCESnapshot(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	_, err := snapshotter.CreateVolumeFromSnapshot(noSuchGCESnapshot, "pd-ssd", t.zone(0).zones, nil)
	if text := t.Fails(err, "create a disk"); !strings.Contains(text, noSuchGCESnapshot) {
		t.Fatalf("the snapshot is not named in: %s", text)
	}
}

func deletesGCESnapshotTwice(t *T) {
	snapshotter, _ := t.AnySnapshotter()
	id := t.gcpSnapshotOf(snapshotter, t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{}), t.zone(0))

	t.NoError(snapshotter.DeleteSnapshot(id), "delete")

	t.leavesGCE(t.snapshotPath(id))
	t.NoError(snapshotter.DeleteSnapshot(id), "second delete")
}

func refusesGCEKey(t *T, key, value string) {
	text := t.Fails(t.volumeInitError(t.gcpVolumeConfig(map[string]string{key: value})), "init")
	if !strings.Contains(text, key) && !strings.Contains(text, value) {
		t.Fatalf("%s is not named in: %s", key, text)
	}
}

func refusesGoneAccount(t *T) {
	lines := t.credentialsFile(t.gce.Refused)
	session := t.Session()
	snapshotter, err := session.VolumeSnapshotter(t.gcpVolumeConfig(map[string]string{"credentialsFile": lines}))
	if err == nil {
		_, _, err = snapshotter.GetVolumeInfo(noSuchDisk, t.zone(0).zones)
	}
	text := t.Fails(err, "the use of a location whose account is gone")
	if word := wordOfAbsence(text); word != "" {
		t.Fatalf("%q reads like a missing disk: %s", word, text)
	}
}

func restartsGCESnapshotter(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{})
	snapshotter, session := t.AnySnapshotter()

	kill(t, session)

	t.NoError(eventually(patience, func() error {
		_, _, err := snapshotter.GetVolumeInfo(disk, t.zone(0).zones)
		return err
	}), "get volume info")
	if started := len(session.ProcessIDs()); started != 2 {
		t.Fatalf("%d processes were started", started)
	}
}

func waitsForGCESnapshot(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{})
	snapshotter := t.gcpSnapshotterIn(t.Session(), map[string]string{"wait": "completed"})

	id, err := snapshotter.CreateSnapshot(disk, t.zone(0).zones, serverTags)

	t.NoError(err, "create a snapshot")
	if status := t.inGCE(t.snapshotPath(id)).Status; status != "READY" {
		t.Fatalf("the snapshot is %s", status)
	}
}

func usesEndpointAndCACert(t *T) {
	disk := t.createDiskIn(t.zone(0), cloud.GCEDiskRequest{})
	// The environment leads nowhere, so only the keys can be what reaches the target.
	t.NoError(setVariables(map[string]string{"HTTPS_PROXY": "http://127.0.0.1:1", "SSL_CERT_FILE": ""}), "set the environment")
	t.Cleanup(func() { _ = setVariables(map[string]string{"HTTPS_PROXY": t.gce.Proxy, "SSL_CERT_FILE": t.gce.CAFile}) })
	snapshotter := t.gcpSnapshotterIn(t.Session(), map[string]string{"endpoint": t.gce.Endpoint, "caCert": t.gce.caCert})

	_, _, err := snapshotter.GetVolumeInfo(disk, t.zone(0).zones)

	t.NoError(err, "get volume info")
}
