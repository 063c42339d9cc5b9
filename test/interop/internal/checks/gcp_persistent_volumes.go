package checks

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	gcpDriver             = "pd.csi.storage.gke.io"
	gcpConfidentialDriver = "gcp.csi.confidential.cloud"
)

// gcpVolumeForms are the forms in which a PersistentVolume names a persistent disk.
func gcpVolumeForms() map[string]func(t *T, disk string) *unstructured.Unstructured {
	csi := func(driver string, placeOf func(t *T) diskPlace) func(t *T, disk string) *unstructured.Unstructured {
		return func(t *T, disk string) *unstructured.Unstructured { return csiVolume(driver, placeOf(t).disk(disk)) }
	}
	zonal := func(t *T) diskPlace { return t.zone(0) }
	return map[string]func(t *T, disk string) *unstructured.Unstructured{
		"a zonal CSI PersistentVolume":                 csi(gcpDriver, zonal),
		"a regional CSI PersistentVolume":              csi(gcpDriver, (*T).bothZones),
		"a CSI PersistentVolume of confidential nodes": csi(gcpConfidentialDriver, zonal),
		"an in-tree PersistentVolume": func(_ *T, disk string) *unstructured.Unstructured {
			return volume("gcePersistentDisk", map[string]any{"pdName": disk, "fsType": "ext4", "futureDiskField": "kept"})
		},
	}
}

func gcpPersistentVolumeChecks() []check {
	checks := []check{
		{title: "a PersistentVolume of another CSI driver is left to others", run: func(t *T) {
			findsVolumeID(t, csiVolume("ebs.csi.aws.com", "vol-0a1"), "")
		}},
		{title: "a PersistentVolume of another kind of storage is left to others", run: func(t *T) { findsVolumeID(t, nfsVolume(), "") }},
		{title: "a CSI PersistentVolume with a handle of another form is an error that shows it", run: refusesOddHandle},
	}
	forms := gcpVolumeForms()
	for _, form := range slices.Sorted(maps.Keys(forms)) {
		of := forms[form]
		checks = append(checks,
			check{title: "the disk of " + form + " is found", run: func(t *T) { findsVolumeID(t, of(t, "pvc-1"), "pvc-1") }},
			check{
				title:  form + " gets the new disk and keeps everything else, known or not",
				faults: faults{"gcp": passedThroughAType}, run: func(t *T) { rewrites(t, of(t, "pvc-1"), "restore-1", of(t, "restore-1")) },
			},
			check{title: "the new disk of " + form + " is found again", run: func(t *T) { findsNewID(t, of(t, "pvc-1"), "restore-1") }},
		)
	}
	return checks
}

func refusesOddHandle(t *T) {
	const odd = "projects/p/disks/pvc-1"
	snapshotter, _ := t.AnySnapshotter()

	_, err := snapshotter.GetVolumeID(csiVolume(gcpDriver, odd))

	if text := t.Fails(err, "get the volume id"); !strings.Contains(text, odd) {
		t.Fatalf("the handle is not shown in: %s", text)
	}
}
