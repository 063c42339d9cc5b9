package checks

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const azureDriver = "disk.csi.azure.com"

func azurePersistentVolumeChecks() []check {
	csi := func(t *T, spell func(string) string) *unstructured.Unstructured {
		return csiVolume(azureDriver, spell(t.armID("disks", t.arm.ResourceGroup, "pvc-1")))
	}
	own := func(id string) string { return id }
	providersInLowerCase := func(id string) string {
		return strings.NewReplacer("resourceGroups", "resourcegroups", "Microsoft.Compute", "microsoft.compute").Replace(id)
	}
	return []check{
		{title: "the disk of a CSI PersistentVolume is found", run: func(t *T) { findsVolumeID(t, csi(t, own), "pvc-1") }},
		{title: "the disk of a CSI PersistentVolume is found in another case of the id", run: func(t *T) { findsVolumeID(t, csi(t, providersInLowerCase), "pvc-1") }},
		{title: "the disk of an in-tree PersistentVolume is found", run: func(t *T) { findsVolumeID(t, azureDisk(t, "pvc-1"), "pvc-1") }},
		{title: "a CSI PersistentVolume of another resource group keeps its whole id", run: func(t *T) {
			id := t.armID("disks", t.arm.OtherResourceGroup, "pvc-1")
			findsVolumeID(t, csiVolume(azureDriver, id), id)
		}},
		{title: "a PersistentVolume of another CSI driver is left to others", run: func(t *T) {
			findsVolumeID(t, csiVolume("file.csi.azure.com", t.armID("disks", t.arm.ResourceGroup, "pvc-1")), "")
		}},
		{title: "a PersistentVolume of another kind of storage is left to others", run: func(t *T) { findsVolumeID(t, nfsVolume(), "") }},
		{title: "a CSI PersistentVolume gets the new id and keeps everything else, known or not", run: func(t *T) {
			rewrites(t, csi(t, providersInLowerCase), "restore-1", csiVolume(azureDriver, t.armID("disks", t.arm.ResourceGroup, "restore-1")))
		}},
		{title: "an in-tree PersistentVolume gets the new name and URI and keeps everything else", run: func(t *T) {
			rewrites(t, azureDisk(t, "pvc-1"), "restore-1", azureDisk(t, "restore-1"))
		}},
		{title: "the new id of a CSI PersistentVolume is found again", run: func(t *T) { findsNewID(t, csi(t, own), "restore-1") }},
		{title: "the new id of an in-tree PersistentVolume is found again", run: func(t *T) { findsNewID(t, azureDisk(t, "pvc-1"), "restore-1") }},
	}
}

func azureDisk(t *T, name string) *unstructured.Unstructured {
	return volume("azureDisk", map[string]any{
		"diskName": name, "diskURI": t.armID("disks", t.arm.ResourceGroup, name), "cachingMode": "ReadOnly", "kind": "Managed",
		"futureDiskField": "kept",
	})
}

// diskVolume is a PersistentVolume that says in which zone of a region its disk is.
func (t *T) diskVolume(region string) *unstructured.Unstructured {
	pv := csiVolume(azureDriver, t.armID("disks", t.arm.ResourceGroup, "pvc-1"))
	pv.SetLabels(map[string]string{"app": "shop", zoneLabel: region + "-1"})
	expression := map[string]any{"key": "topology.disk.csi.azure.com/zone", "operator": "In", "values": []any{region + "-1"}}
	terms := []any{map[string]any{"matchExpressions": []any{expression}}}
	// A content made here has room for the field.
	_ = unstructured.SetNestedSlice(pv.Object, terms, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
	return pv
}
