package checks

import (
	"os"
	"path/filepath"
	"strings"

	vsv1 "github.com/vmware-tanzu/velero/pkg/plugin/velero/volumesnapshotter/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"flotilla.io/test/interop/internal/veleroserver"
)

func resticVolumeChecks() []check {
	return []check{
		{title: "an NFS volume is found, snapshotted, restored and put into its PersistentVolume", run: resticRestoresVolume},
		{title: "a volume that is gone, and a path that leads out of the root, are errors", run: resticRefusesVolumes},
		{title: "a deleted snapshot is gone, and deleting it again succeeds", run: resticDeletesSnapshot},
		{title: "after kill -9 the next call finds a new process, and snapshots are there", run: resticRestartsSnapshotter},
	}
}

// resticVolumes opens a location whose root holds one volume, and answers that volume's folder, too.
func (t *T) resticVolumes() (vsv1.VolumeSnapshotter, *veleroserver.Session, string) {
	root, err := os.MkdirTemp("", "interop-volumes-")
	t.NoError(err, "make a volume root")
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	folder := filepath.Join(root, "nfs", "claim")
	t.NoError(os.MkdirAll(folder, 0o755), "make a volume")
	t.NoError(os.WriteFile(filepath.Join(folder, "file"), []byte("content"), 0o640), "write a file")
	config := t.resticConfig(map[string]string{"volumeRoot": root, "volumePaths": "nfs:10.0.0.1:/export=nfs"})
	delete(config, "bucket")
	delete(config, "prefix")
	session := t.Session()
	snapshotter, err := session.VolumeSnapshotter(config)
	t.NoError(err, "init")
	return snapshotter, session, folder
}

func exported(path string) *unstructured.Unstructured {
	return volume("nfs", map[string]any{"server": "10.0.0.1", "path": path, "readOnly": false})
}

func resticRestoresVolume(t *T) {
	snapshotter, _, folder := t.resticVolumes()
	id, err := snapshotter.GetVolumeID(exported("/export/claim"))
	t.NoError(err, "get the volume id")
	if id != folder {
		t.Fatalf("found %q, want %q", id, folder)
	}
	volumeType, _, err := snapshotter.GetVolumeInfo(id, "")
	t.NoError(err, "get volume info")
	snapshotID, err := snapshotter.CreateSnapshot(id, "", serverTags)
	t.NoError(err, "create a snapshot")
	restored, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, volumeType, "", nil)
	t.NoError(err, "create a volume from the snapshot")

	changed, err := snapshotter.SetVolumeID(exported("/export/claim"), restored)

	t.NoError(err, "set the volume id")
	content, err := os.ReadFile(filepath.Join(restored, "file"))
	t.NoError(err, "read the restored file")
	if string(content) != "content" {
		t.Fatalf("the restored file holds %q", content)
	}
	object, ok := changed.(*unstructured.Unstructured)
	if !ok {
		t.Fatalf("the PersistentVolume came back as %T", changed)
	}
	path, _, err := unstructured.NestedString(object.Object, "spec", "nfs", "path")
	t.NoError(err, "read the new path")
	if want := "/export/" + filepath.Base(restored); path != want {
		t.Fatalf("the PersistentVolume names %q, want %q", path, want)
	}
	if id, err := snapshotter.GetVolumeID(volume("awsElasticBlockStore", map[string]any{"volumeID": "vol-0a1"})); err != nil || id != "" {
		t.Fatalf("a volume of another cloud is %q, %v", id, err)
	}
}

func resticRefusesVolumes(t *T) {
	snapshotter, _, folder := t.resticVolumes()
	t.NoError(os.Symlink("/etc", filepath.Join(filepath.Dir(folder), "link")), "make a link out of the root")
	for _, name := range []string{"gone", "link", "link/ssl", "../../etc"} {
		id := filepath.Dir(folder) + "/" + name
		_, err := snapshotter.CreateSnapshot(id, "", serverTags)
		t.Fails(err, "create a snapshot of "+name)
	}
	_, err := snapshotter.GetVolumeID(exported("/export/../../etc"))
	if text := t.Fails(err, "get the id of a path with dots"); !strings.Contains(text, "..") {
		t.Fatalf("the reason is not told in: %s", text)
	}
}

func resticDeletesSnapshot(t *T) {
	snapshotter, _, folder := t.resticVolumes()
	snapshotID, err := snapshotter.CreateSnapshot(folder, "", serverTags)
	t.NoError(err, "create a snapshot")

	t.NoError(snapshotter.DeleteSnapshot(snapshotID), "delete it")
	t.NoError(snapshotter.DeleteSnapshot(snapshotID), "delete it again")

	_, err = snapshotter.CreateVolumeFromSnapshot(snapshotID, "folder", "", nil)
	t.Fails(err, "restore a deleted snapshot")
}

func resticRestartsSnapshotter(t *T) {
	snapshotter, session, folder := t.resticVolumes()
	snapshotID, err := snapshotter.CreateSnapshot(folder, "", serverTags)
	t.NoError(err, "create a snapshot")

	kill(t, session)

	t.NoError(eventually(patience, func() error {
		_, err := snapshotter.CreateVolumeFromSnapshot(snapshotID, "folder", "", nil)
		return err
	}), "restore after the kill")
}
