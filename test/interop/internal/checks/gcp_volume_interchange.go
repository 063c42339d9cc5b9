package checks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"flotilla.io/test/interop/internal/cloud"
	"flotilla.io/test/interop/internal/veleroserver"
)

// gcpVolumeInterchangeChecks exchange disks and snapshots with the official plugin; both have the same location.
func gcpVolumeInterchangeChecks() []check {
	var checks []check
	places := map[string]func(t *T) diskPlace{"zonal": func(t *T) diskPlace { return t.zone(0) }, "regional": (*T).bothZones}
	for _, kind := range slices.Sorted(maps.Keys(places)) {
		placeOf := places[kind]
		for _, way := range directions() {
			checks = append(checks,
				check{
					title: fmt.Sprintf("a snapshot of a %s disk made %s is restored by %s", kind, way.maker, way.user),
					run:   func(t *T) { exchangesGCESnapshot(t, way, placeOf(t)) },
				},
				check{
					title: fmt.Sprintf("a snapshot of a %s disk made %s is deleted by %s", kind, way.maker, way.user),
					run:   func(t *T) { deletesOthersGCESnapshot(t, way, placeOf(t)) },
				},
			)
		}
		checks = append(checks,
			check{title: "both plugins make the same snapshot of a " + kind + " disk", run: func(t *T) { makesTheSameSnapshot(t, placeOf(t)) }},
			check{title: "both plugins make the same disk of a snapshot of a " + kind + " disk", run: func(t *T) { makesTheSameDisk(t, placeOf(t)) }},
		)
	}
	checks = append(checks, check{
		title: "a snapshot made by the other plugin is restored by this one in another zone", run: restoresOthersInOtherZone,
	})
	for _, way := range directions() {
		checks = append(checks, check{
			title: "a snapshot made " + way.maker + " in another project than the disk's is restored and deleted by " + way.user,
			run:   func(t *T) { exchangesAcrossProjects(t, way) },
		})
	}
	forms := gcpVolumeForms()
	for _, form := range slices.Sorted(maps.Keys(forms)) {
		of := forms[form]
		checks = append(checks, check{
			title: "both plugins find and write the same disk in " + form,
			run:   func(t *T) { rewritesTheSame(t, of(t, "pvc-1")) },
		})
	}
	return checks
}

func (t *T) ordinaryDisk(place diskPlace) string {
	return t.createDiskIn(place, cloud.GCEDiskRequest{
		Type: "pd-ssd", Labels: map[string]string{"team": "shop"}, Description: kubernetesTags,
	})
}

func exchangesGCESnapshot(t *T, way direction, place diskPlace) {
	disk := t.ordinaryDisk(place)
	maker, user := t.gcpSnapshotterIn(t.sessionOf(way.makes(t)), nil), t.gcpSnapshotterIn(t.sessionOf(way.uses(t)), nil)
	volumeType := t.typeOf(maker, disk, place)
	id := t.gcpSnapshotOf(maker, disk, place)

	restored := t.restoredIn(place, user, id, volumeType)

	if lastOf(restored.Type) != "pd-ssd" || restored.Labels["team"] != "shop" || len(restored.ReplicaZones) != len(place.replicas) {
		t.Fatalf("restored as %+v", restored)
	}
	if got := tagsIn(t, restored.Description); got["velero.io/backup"] != "nightly" || got["velero.io/pv"] != "pv-1" {
		t.Fatalf("restored with the tags %v", got)
	}
}

func deletesOthersGCESnapshot(t *T, way direction, place diskPlace) {
	maker, user := t.gcpSnapshotterIn(t.sessionOf(way.makes(t)), nil), t.gcpSnapshotterIn(t.sessionOf(way.uses(t)), nil)
	id := t.gcpSnapshotOf(maker, t.ordinaryDisk(place), place)

	t.NoError(user.DeleteSnapshot(id), "delete")

	t.leavesGCE(t.snapshotPath(id))
	t.NoError(maker.DeleteSnapshot(id), "delete what the other has deleted")
}

func restoresOthersInOtherZone(t *T) {
	maker, user := t.gcpSnapshotterIn(t.sessionOf(t.other), nil), t.gcpSnapshotterIn(t.Session(), nil)
	disk := t.ordinaryDisk(t.zone(0))
	volumeType := t.typeOf(maker, disk, t.zone(0))
	id := t.gcpSnapshotOf(maker, disk, t.zone(0))

	restored := t.restoredIn(t.zone(1), user, id, volumeType)

	if lastOf(restored.Type) != "pd-ssd" || lastOf(restored.SourceSnapshot) != id {
		t.Fatalf("restored as %+v", restored)
	}
}

func exchangesAcrossProjects(t *T, way direction) {
	keys := map[string]string{"project": t.gce.OtherProject}
	maker, user := t.gcpSnapshotterIn(t.sessionOf(way.makes(t)), keys), t.gcpSnapshotterIn(t.sessionOf(way.uses(t)), keys)
	place := t.zone(0)
	disk := t.ordinaryDisk(place)
	volumeType := t.typeOf(maker, disk, place)
	id, err := maker.CreateSnapshot(disk, place.zones, serverTags)
	t.NoError(err, "create a snapshot")
	path := "projects/" + t.gce.OtherProject + "/global/snapshots/" + id
	t.NoError(t.gce.api.AwaitReady(path), "wait for the snapshot")

	restored := t.restoredIn(place, user, id, volumeType)

	if !strings.HasSuffix(restored.SourceSnapshot, path) {
		t.Fatalf("it was made of %s", restored.SourceSnapshot)
	}
	t.NoError(user.DeleteSnapshot(id), "delete")
	t.leavesGCE(path)
}

func makesTheSameSnapshot(t *T, place diskPlace) {
	disk := t.ordinaryDisk(place)
	keys := map[string]string{"snapshotLocation": t.gce.Region, "snapshotType": "ARCHIVE"}
	var both []string
	for _, server := range []*veleroserver.Server{t.plugin, t.other} {
		snapshotter := t.gcpSnapshotterIn(t.sessionOf(server), keys)
		both = append(both, withoutName(t.inGCE(t.snapshotPath(t.gcpSnapshotOf(snapshotter, disk, place)))))
	}
	if both[0] != both[1] || !strings.Contains(both[0], "ARCHIVE") {
		t.Fatalf("ours is %s, theirs %s", both[0], both[1])
	}
}

func makesTheSameDisk(t *T, place diskPlace) {
	disk := t.ordinaryDisk(place)
	maker := t.gcpSnapshotterIn(t.Session(), nil)
	volumeType := t.typeOf(maker, disk, place)
	id := t.gcpSnapshotOf(maker, disk, place)
	var both []string
	for _, server := range []*veleroserver.Server{t.plugin, t.other} {
		user := t.gcpSnapshotterIn(t.sessionOf(server), nil)
		both = append(both, withoutName(t.restoredIn(place, user, id, volumeType)))
	}
	if both[0] != both[1] {
		t.Fatalf("ours is %s, theirs %s", both[0], both[1])
	}
}

// withoutName is a resource in words, but for its own name.
func withoutName(resource cloud.GCEResource) string {
	resource.Name = ""
	return fmt.Sprintf("%+v", resource)
}

func rewritesTheSame(t *T, pv *unstructured.Unstructured) {
	var ids []string
	var sources []map[string]any
	for _, server := range []*veleroserver.Server{t.plugin, t.other} {
		snapshotter := t.gcpSnapshotterIn(t.sessionOf(server), nil)
		id, err := snapshotter.GetVolumeID(pv)
		t.NoError(err, "get the volume id")
		rewritten, err := snapshotter.SetVolumeID(pv, "restore-1")
		t.NoError(err, "set the volume id")
		ids, sources = append(ids, id), append(sources, namesOfDisk(t, rewritten.UnstructuredContent()))
	}
	if ids[0] != ids[1] || !maps.Equal(sources[0], sources[1]) || len(sources[0]) == 0 {
		t.Fatalf("found %v, wrote %v and %v", ids, sources[0], sources[1])
	}
}

// namesOfDisk are the fields of a PersistentVolume that lead to its disk.
func namesOfDisk(t *T, content map[string]any) map[string]any {
	found := map[string]any{}
	for source, field := range map[string]string{"csi": "volumeHandle", "gcePersistentDisk": "pdName"} {
		value, isThere, err := unstructured.NestedString(content, "spec", source, field)
		t.NoError(err, "read the PersistentVolume")
		if isThere {
			found[source] = value
		}
	}
	return found
}
