import { PluginError } from "@flotilla/sdk/plugin";
import type { PersistentVolume } from "@flotilla/sdk/plugin";
import {
  csiVolumeOf,
  hasSource,
  inTreeFieldOf,
  withCsiVolumeHandle,
  withInTreeField,
  withPlace,
  zonesOf,
} from "@flotilla/sdk/volumes";
import type { VolumePlace } from "@flotilla/sdk/volumes";
import { isSameName, parseComputeId, printComputeId, printVolumeRef, readVolumeRef } from "./managed-disk-ids.ts";
import type { Place } from "./managed-disk-ids.ts";

const csiDriver = "disk.csi.azure.com";
const csiZoneKey = "topology.disk.csi.azure.com/zone";
const inTreeSource = "azureDisk";

/** The managed disk behind a PersistentVolume, or "" for one that is another driver's. */
export function readVolumeId(volume: PersistentVolume, defaultPlace: Place): string {
  if (hasSource(volume, "csi")) {
    const csi = csiVolumeOf(volume);
    return csi?.driver === csiDriver ? idOfHandle(csi.volumeHandle, defaultPlace) : "";
  }
  if (!hasSource(volume, inTreeSource)) return "";
  const diskName = inTreeFieldOf(volume, inTreeSource, "diskName") ?? "";
  if (diskName === "")
    throw new PluginError(`read the volume's id: spec.${inTreeSource}.diskName of the PersistentVolume is empty`, {
      kind: "invalid-argument",
    });
  const disk = parseComputeId(inTreeFieldOf(volume, inTreeSource, "diskURI") ?? "");
  // The URI tells where the disk is; the name stays what the official plugin goes by.
  return disk?.type === "disks" && isSameName(disk.name, diskName) ? printVolumeRef(disk, defaultPlace) : diskName;
}

/** Whether the PersistentVolume is one of the disk driver's. */
export function isDiskVolume(volume: PersistentVolume): boolean {
  return csiVolumeOf(volume)?.driver === csiDriver || hasSource(volume, inTreeSource);
}

/** The PersistentVolume with another managed disk behind it, in the form of the official plugin. */
export function writeVolumeId(volume: PersistentVolume, volumeId: string, defaultPlace: Place): PersistentVolume {
  const disk = readVolumeRef(volumeId, defaultPlace);
  const uri = printComputeId(disk);
  if (hasSource(volume, "csi")) {
    const driver = csiVolumeOf(volume)?.driver;
    if (driver === csiDriver) return withCsiVolumeHandle(volume, uri);
    throw new PluginError(`write the volume's id: the CSI driver "${driver ?? ""}" is not ${csiDriver}`, {
      kind: "invalid-argument",
    });
  }
  if (!hasSource(volume, inTreeSource))
    throw new PluginError(`write the volume's id: the PersistentVolume has neither spec.csi nor spec.${inTreeSource}`, {
      kind: "invalid-argument",
    });
  const named = withInTreeField(volume, inTreeSource, "diskName", disk.name);
  return withInTreeField(named, inTreeSource, "diskURI", uri);
}

/** The PersistentVolume as it says where the disk is now. */
export function movedVolume(volume: PersistentVolume, place: VolumePlace): PersistentVolume {
  return withPlace(volume, place, [csiZoneKey]);
}

/** Whether the PersistentVolume names zones of another region. */
export function isOfOtherRegion(volume: PersistentVolume, region: string): boolean {
  const named = zonesOf(volume, [csiZoneKey]).filter((zone) => zone.includes("-"));
  return named.some((zone) => !zone.toLowerCase().startsWith(`${region}-`));
}

function idOfHandle(handle: string, defaultPlace: Place): string {
  const disk = parseComputeId(handle);
  if (disk !== undefined) return disk.type === "disks" ? printVolumeRef(disk, defaultPlace) : "";
  // The official plugin looks at the end only.
  return /\/Microsoft\.Compute\/disks\/([^/]+)$/i.exec(handle)?.[1] ?? "";
}
