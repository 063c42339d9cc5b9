package checks

import (
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func persistentVolumeChecks() []check {
	return []check{
		{title: "the volume id of a CSI PersistentVolume is found", run: func(t *T) { findsVolumeID(t, csiVolume("ebs.csi.aws.com", "vol-0a1"), "vol-0a1") }},
		{title: "the volume id of an in-tree PersistentVolume is found behind its zone", run: func(t *T) {
			findsVolumeID(t, inTreeVolume("aws://us-east-1a/vol-0a1"), "vol-0a1")
		}},
		{title: "the volume id of an in-tree PersistentVolume without zone is found", run: func(t *T) { findsVolumeID(t, inTreeVolume("vol-0a1"), "vol-0a1") }},
		{title: "a PersistentVolume of another CSI driver is left to others", run: func(t *T) { findsVolumeID(t, csiVolume("pd.csi.storage.gke.io", "vol-0a1"), "") }},
		{title: "a PersistentVolume of another kind of storage is left to others", run: func(t *T) { findsVolumeID(t, nfsVolume(), "") }},
		{
			title:  "a CSI PersistentVolume gets the new id and keeps everything else, known or not",
			faults: faults{"aws": passedThroughAType}, run: rewritesCSI,
		},
		{
			title:  "an in-tree PersistentVolume gets the new id behind its zone and keeps everything else",
			faults: faults{"aws": passedThroughAType}, run: rewritesInTree,
		},
		{title: "the new id of a CSI PersistentVolume is found again", run: func(t *T) { findsNewID(t, csiVolume("ebs.csi.aws.com", "vol-0a1"), "vol-0b2") }},
		{title: "the new id of an in-tree PersistentVolume is found again", run: func(t *T) { findsNewID(t, inTreeVolume("aws://us-east-1a/vol-0a1"), "vol-0b2") }},
	}
}

// passedThroughAType is how all official plugins rewrite a PersistentVolume.
var passedThroughAType = fault{reason: "passes it through a type: unknown fields are dropped, empty ones added", shows: "got {"}

const zoneLabel = "failure-domain.beta.kubernetes.io/zone"

// volume makes a PersistentVolume with fields that no released type has.
func volume(source string, fields map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolume",
		"metadata": map[string]any{
			"name": "pv-1", "labels": map[string]any{"app": "shop", zoneLabel: "us-east-1a"},
			"annotations": map[string]any{"pv.kubernetes.io/provisioned-by": "ebs.csi.aws.com"},
		},
		"spec": map[string]any{
			"capacity": map[string]any{"storage": "10Gi"}, "accessModes": []any{"ReadWriteOnce"}, "storageClassName": "gp3",
			"persistentVolumeReclaimPolicy": "Delete", "futureField": map[string]any{"nested": []any{"kept", int64(3)}},
			source: fields,
		},
		"futureTopLevel": "kept",
	}}
}

func csiVolume(driver, handle string) *unstructured.Unstructured {
	return volume("csi", map[string]any{
		"driver": driver, "volumeHandle": handle, "fsType": "ext4", "futureCsiField": true,
		"volumeAttributes": map[string]any{"storage.kubernetes.io/csiProvisionerIdentity": "1-ebs.csi.aws.com"},
	})
}

func inTreeVolume(id string) *unstructured.Unstructured {
	return volume("awsElasticBlockStore", map[string]any{"volumeID": id, "fsType": "ext4", "futureEbsField": "kept"})
}

func nfsVolume() *unstructured.Unstructured {
	return volume("nfs", map[string]any{"server": "10.0.0.1", "path": "/vol-0a1"})
}

func findsVolumeID(t *T, pv *unstructured.Unstructured, want string) {
	snapshotter, _ := t.AnySnapshotter()

	id, err := snapshotter.GetVolumeID(pv)

	t.NoError(err, "get the volume id")
	if id != want {
		t.Fatalf("found %q, want %q", id, want)
	}
}

func rewritesCSI(t *T) {
	want := csiVolume("ebs.csi.aws.com", "vol-0b2")
	rewrites(t, csiVolume("ebs.csi.aws.com", "vol-0a1"), "vol-0b2", want)
}

func rewritesInTree(t *T) {
	rewrites(t, inTreeVolume("aws://us-east-1a/vol-0a1"), "vol-0b2", inTreeVolume("aws://us-east-1a/vol-0b2"))
}

func rewrites(t *T, pv *unstructured.Unstructured, newID string, want *unstructured.Unstructured) {
	snapshotter, _ := t.AnySnapshotter()

	got, err := snapshotter.SetVolumeID(pv, newID)

	t.NoError(err, "set the volume id")
	if !reflect.DeepEqual(got.UnstructuredContent(), want.UnstructuredContent()) {
		t.Fatalf("got %s, want %s", asJSON(got.UnstructuredContent()), asJSON(want.UnstructuredContent()))
	}
}

func asJSON(content map[string]any) string {
	// Content of an unstructured object is always representable.
	text, _ := json.Marshal(content)
	return string(text)
}

func findsNewID(t *T, pv *unstructured.Unstructured, newID string) {
	snapshotter, _ := t.AnySnapshotter()

	rewritten, err := snapshotter.SetVolumeID(pv, newID)
	t.NoError(err, "set the volume id")
	id, err := snapshotter.GetVolumeID(rewritten)

	t.NoError(err, "get the volume id")
	if id != newID {
		t.Fatalf("found %q", id)
	}
}
