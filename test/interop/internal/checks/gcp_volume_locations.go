package checks

import (
	"strings"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
)

func gcpVolumeLocationChecks() []check {
	return []check{
		{
			title:  "two locations of two projects, interleaved in one process, each snapshot and delete in their own",
			faults: faults{"gcp": {reason: oneConfigurationPerName, shows: "notFound"}},
			run:    func(t *T) { keepsProjectsApart(t, "pvc-"+t.number(), "data-"+t.number()) },
		},
		{
			title:  "of two disks of one name in two projects, the one is snapshotted whose PersistentVolume was read",
			faults: faults{"gcp": {reason: oneConfigurationPerName, shows: "does not exist"}},
			run:    func(t *T) { keepsProjectsApart(t, "pvc-"+t.number(), "pvc-"+t.number()) },
		},
	}
}

// number tells this run of this check from every other.
func (t *T) number() string { return strings.Trim(t.prefix, "check-/") }

func keepsProjectsApart(t *T, disks ...string) {
	session := t.Session()
	projects := []string{t.gce.Project, t.gce.OtherProject}
	var snapshotters []vsv1.VolumeSnapshotter
	var places []diskPlace
	for index, project := range projects {
		place := diskPlace{path: "projects/" + project + "/zones/" + t.gce.Zones[0], zones: t.gce.Zones[0]}
		t.createDiskIn(place, cloud.GCEDiskRequest{Name: disks[index]})
		snapshotters = append(snapshotters, t.gcpSnapshotterIn(session, map[string]string{"project": project, "volumeProject": project}))
		places = append(places, place)
	}
	var snapshots []string
	for index, project := range projects {
		// As the server does: it reads the volume's id of each PersistentVolume just before it asks for the snapshot.
		id, err := snapshotters[index].GetVolumeID(csiVolume(gcpDriver, places[index].disk(disks[index])))
		t.NoError(err, "get the volume id")
		snapshot, err := snapshotters[index].CreateSnapshot(id, places[index].zones, serverTags)
		t.NoError(err, "create a snapshot in "+project)
		path := "projects/" + project + "/global/snapshots/" + snapshot
		if source := t.inGCE(path).SourceDisk; !strings.HasSuffix(source, places[index].disk(disks[index])) {
			t.Fatalf("%s is of %s", snapshot, source)
		}
		t.NoError(t.gce.api.AwaitReady(path), "wait for the snapshot")
		snapshots = append(snapshots, path)
	}
	for index, path := range snapshots {
		t.NoError(snapshotters[index].DeleteSnapshot(lastOf(path)), "delete "+path)
		t.leavesGCE(path)
	}
}
