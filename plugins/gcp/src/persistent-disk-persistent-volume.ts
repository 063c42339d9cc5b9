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
import { parseDiskHandle, printDiskHandle, regionOf } from "./persistent-disk-ids.ts";
import type { DiskHandle, DiskLocation } from "./persistent-disk-ids.ts";

const csiDrivers: ReadonlySet<string> = new Set(["pd.csi.storage.gke.io", "gcp.csi.confidential.cloud"]);
const inTreeSource = "gcePersistentDisk";
const driverZoneKeys = ["topology.gke.io/zone"];

/** The disk behind a PersistentVolume: its name, and its place where the PersistentVolume tells it. */
export interface VolumeSource {
  readonly name: string;
  readonly handle: DiskHandle | undefined;
}

/** Where a disk was restored. */
export interface RestoredDisk {
  readonly name: string;
  readonly project: string;
  /** Undefined where this process did not restore it: then it is in the place of the one that was backed up. */
  readonly location: DiskLocation | undefined;
}

/** The persistent disk behind a PersistentVolume; undefined for one that is another driver's. */
export function readVolumeSource(volume: PersistentVolume): VolumeSource | undefined {
  const csi = csiVolumeOf(volume);
  if (csi !== undefined && csiDrivers.has(csi.driver)) {
    const handle = requireHandle(csi.driver, csi.volumeHandle, "read");
    return { name: handle.name, handle };
  }
  if (!hasSource(volume, inTreeSource)) return undefined;
  const name = inTreeFieldOf(volume, inTreeSource, "pdName") ?? "";
  if (name === "")
    throw new PluginError(`read the volume's id: spec.${inTreeSource}.pdName of the PersistentVolume is empty`, {
      kind: "invalid-argument",
    });
  return { name, handle: undefined };
}

/** The zones that a PersistentVolume says its disk is in. */
export function zonesSaid(volume: PersistentVolume): readonly string[] {
  const handle = parseDiskHandle(csiVolumeOf(volume)?.volumeHandle ?? "");
  const said = zonesOf(volume, driverZoneKeys);
  return handle?.scope === "zones" ? [...said, handle.location] : said;
}

/** The PersistentVolume with another disk behind it, in the form of the official plugin. */
export function writeVolumeId(volume: PersistentVolume, disk: RestoredDisk): PersistentVolume {
  if (hasSource(volume, "csi")) return writeHandle(volume, disk);
  if (!hasSource(volume, inTreeSource))
    throw new PluginError(`write the volume's id: the PersistentVolume has neither spec.csi nor spec.${inTreeSource}`, {
      kind: "invalid-argument",
    });
  const moved = disk.location === undefined ? volume : movedTo(volume, disk.location);
  return withInTreeField(moved, inTreeSource, "pdName", disk.name);
}

function writeHandle(volume: PersistentVolume, { name, project, location }: RestoredDisk): PersistentVolume {
  const { driver = "", volumeHandle = "" } = csiVolumeOf(volume) ?? {};
  if (!csiDrivers.has(driver))
    throw new PluginError(
      `write the volume's id: the CSI driver "${driver}" is not one of ${[...csiDrivers].join(", ")}`,
      { kind: "invalid-argument" },
    );
  const former = requireHandle(driver, volumeHandle, "write");
  const isMoved = location !== undefined && (location.scope !== former.scope || location.name !== former.location);
  const place = isMoved ? { scope: location.scope, location: location.name } : {};
  const moved = isMoved ? movedTo(volume, location) : volume;
  return withCsiVolumeHandle(moved, printDiskHandle({ ...former, ...place, project, name }));
}

/** The PersistentVolume with its labels and node affinity where its disk now is; pods are scheduled by them. */
function movedTo(volume: PersistentVolume, location: DiskLocation): PersistentVolume {
  const isZonal = location.scope === "zones";
  const zones = isZonal ? [location.name] : location.replicaZones;
  return withPlace(volume, { zones, region: isZonal ? regionOf(location.name) : location.name }, driverZoneKeys);
}

function requireHandle(driver: string, text: string, action: "read" | "write"): DiskHandle {
  const handle = parseDiskHandle(text);
  if (handle !== undefined) return handle;
  throw new PluginError(
    `${action} the volume's id: the volumeHandle "${text}" of the CSI driver ${driver} is not of the form ` +
      "projects/PROJECT/zones/ZONE/disks/NAME",
    { kind: "invalid-argument" },
  );
}
