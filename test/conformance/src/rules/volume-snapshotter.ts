import { defineRules } from "./rule.ts";

const contract = "pkg/plugin/velero/volumesnapshotter/v1/volume_snapshotter.go";
const client = "pkg/plugin/framework/volume_snapshotter_client.go";

/** What the server's VolumeSnapshotter service is held to. */
export const volumeSnapshotterRules = defineRules({
  "volume-init-opens": {
    text: "Init of a correct location succeeds.",
    origin: "Velero",
    source: contract,
    consequence: "No volume is snapshotted or restored.",
  },
  "volume-init-refuses-wrong-config": {
    text: "Init refuses a config with an unknown key or a value of the wrong form, and names the key.",
    origin: "Velero",
    source: "pkg/plugin/velero/shared.go: ValidateVolumeSnapshotterConfigKeys",
    consequence: "A misspelt key is ignored, and snapshots land somewhere else than the operator thinks.",
  },
  "finds-volume-ids": {
    text: "GetVolumeID finds the volume in every form of PersistentVolume that the provider has.",
    origin: "Velero",
    source: contract,
    consequence: "The volume is left out of the backup without an error.",
  },
  "leaves-others-alone": {
    text: "GetVolumeID answers an empty id for a PersistentVolume of another driver, without an error.",
    origin: "Velero",
    source: "pkg/backup/item_backupper.go: takePVSnapshot asks each location in turn",
    consequence: "Volumes of other drivers make every backup fail, or are snapshotted by the wrong plugin.",
  },
  "sets-volume-ids": {
    text: "SetVolumeID writes the new id where the form of the PersistentVolume names its volume.",
    origin: "Velero",
    source: contract,
    consequence: "The restored PersistentVolume points at the old volume, or at none.",
  },
  "set-keeps-known-fields": {
    text: "SetVolumeID keeps the fields of the PersistentVolume that do not name the volume.",
    origin: "Velero",
    source: `${client}: the answer replaces the PersistentVolume`,
    consequence: "The restored PersistentVolume has another size, class or mode.",
  },
  "set-keeps-the-rest": {
    text: "SetVolumeID keeps and adds nothing beyond that: unknown fields and large numbers stay as they were.",
    origin: "ours",
    source: `${client}: the answer replaces the PersistentVolume; the official plugins drop what their types do not know`,
    consequence: "The restored PersistentVolume lacks what a newer Kubernetes or a driver needs.",
  },
  "set-answers-a-whole-object": {
    text: "SetVolumeID answers the whole PersistentVolume, with apiVersion and kind.",
    origin: "Velero",
    source: `${client}: the answer is decoded as unstructured`,
    consequence: "The restore of the volume fails: \"Object 'Kind' is missing\".",
  },
  "set-is-found-again": {
    text: "GetVolumeID of what SetVolumeID answered is the new id.",
    origin: "Velero",
    source: contract,
    consequence: "The next backup snapshots the old volume, or none.",
  },
  "describes-volumes": {
    text: "GetVolumeInfo answers the volume's type.",
    origin: "Velero",
    source: contract,
    consequence: "The volume is restored with another type.",
  },
  "unknown-volume-is-an-error": {
    text: "Describing or snapshotting a volume that does not exist is an error.",
    origin: "Velero",
    source: contract,
    consequence: "A backup is shown as complete though a volume is missing.",
  },
  "volume-denials-are-errors": {
    text: "A refused request is an error.",
    origin: "Velero",
    source: contract,
    consequence: "A backup is shown as complete though a volume is missing.",
  },
  "creates-snapshots": {
    text: "CreateSnapshot answers the id of a snapshot from which a volume can be made.",
    origin: "Velero",
    source: "pkg/backup/item_backupper.go: the id is recorded in volumesnapshots.json.gz",
    consequence: "The volume cannot be restored.",
  },
  "takes-odd-tags": {
    text: "CreateSnapshot accepts every label that a backup may have as a tag.",
    origin: "Velero",
    source: "pkg/backup/item_backupper.go: tags are the backup's labels",
    consequence: "A label on a schedule makes every snapshot fail.",
  },
  "restores-volumes": {
    text: "CreateVolumeFromSnapshot answers the id of a new volume.",
    origin: "Velero",
    source: "pkg/restore/pv_restorer.go",
    consequence: "Two PersistentVolumes share one volume, or the restore fails.",
  },
  "unknown-snapshot-is-an-error": {
    text: "Restoring a snapshot that does not exist is an error.",
    origin: "Velero",
    source: contract,
    consequence: "An empty volume is taken for the restored one.",
  },
  "deletes-snapshots": {
    text: "A deleted snapshot can no longer be restored from.",
    origin: "Velero",
    source: contract,
    consequence: "Snapshots gather, and cost.",
  },
  "deletes-snapshots-twice": {
    text: "Deleting a snapshot that is gone succeeds.",
    origin: "Velero",
    source: `${contract}; pkg/controller/backup_deletion_controller.go collects errors`,
    consequence: "The backup can never be deleted.",
  },
  "volume-locations-interleave": {
    text: "Several VolumeSnapshotLocations of one provider work in one process, in any order.",
    origin: "Velero",
    source: "pkg/controller/backup_deletion_controller.go: snapshotters of several locations share a process",
    consequence: "A snapshot of the other location is looked for in the wrong one, counted as gone, and leaks.",
  },
});
