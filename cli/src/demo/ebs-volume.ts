import type { PersistentVolume } from "@flotilla/sdk/plugin";

import { at } from "../backup-layout/persistent-volume-fields.ts";

// The demo makes the volumes that it snapshots, and so has to know EBS; everything else asks the plugin.

const defaultSizeGiB = 1;
const gibibytes: Readonly<Record<string, number>> = { Mi: 1 / 1024, Gi: 1, Ti: 1024 };

/** The id of the EBS volume behind a PersistentVolume, of the CSI driver or in-tree; undefined where it is none. */
export function ebsVolumeIdOf(volume: PersistentVolume): string | undefined {
  const handle = at(volume, "spec", "csi", "volumeHandle") ?? at(volume, "spec", "awsElasticBlockStore", "volumeID");
  return typeof handle === "string" ? /vol-[0-9a-f]+$/.exec(handle)?.[0] : undefined;
}

/** The volume's type, by the name of its storage class; gp3 where that names none that needs no more settings. */
export function ebsTypeOf(volume: PersistentVolume): string {
  return at(volume, "spec", "storageClassName") === "gp2" ? "gp2" : "gp3";
}

/** The volume's size, rounded up to what EBS sells. */
export function sizeGiBOf(volume: PersistentVolume): number {
  const capacity = at(volume, "spec", "capacity", "storage");
  const match = typeof capacity === "string" ? /^(\d+)(Mi|Gi|Ti)$/.exec(capacity) : null;
  return match === null ? defaultSizeGiB : Math.ceil(Number(match[1]) * (gibibytes[match[2] ?? ""] ?? 1));
}
