package checks

import (
	"strings"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"

	"flotilla.io/test/interop/internal/cloud"
)

func keepsProjectsApart(t *T) {
	session := t.Session()
	projects := []string{t.gce.Project, t.gce.OtherProject}
	var snapshotters []vsv1.VolumeSnapshotter
	var places []diskPlace
	var disks []string
	for _, project := range projects {
		place := diskPlace{path: "projects/" + project + "/zones/" + t.gce.Zones[0], zones: t.gce.Zones[0]}
		disks = append(disks, t.createDiskIn(place, cloud.GCEDiskRequest{}))
		snapshotters = append(snapshotters, t.gcpSnapshotterIn(session, map[string]string{"project": project, "volumeProject": project}))
		places = append(places, place)
	}
	var snapshots []string
	for index, project := range projects {
		id, err := snapshotters[index].CreateSnapshot(disks[index], places[index].zones, serverTags)
		t.NoError(err, "create a snapshot in "+project)
		path := "projects/" + project + "/global/snapshots/" + id
		if source := t.inGCE(path).SourceDisk; !strings.HasSuffix(source, places[index].disk(disks[index])) {
			t.Fatalf("%s is of %s", id, source)
		}
		t.NoError(t.gce.api.AwaitReady(path), "wait for the snapshot")
		snapshots = append(snapshots, path)
	}
	for index, path := range snapshots {
		t.NoError(snapshotters[index].DeleteSnapshot(lastOf(path)), "delete "+path)
		t.leavesGCE(path)
	}
}
