import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { GceDisk, GceSnapshot } from "./gce-resources.ts";
import type { PersistentDiskApi } from "./persistent-disk-api.ts";
import type { CopyDestination } from "./persistent-disk-copier.ts";
import { copyNames, readCopyMarks, temporaryDescription, temporaryLabels } from "./persistent-disk-copy-tags.ts";
import type { CopyMarks } from "./persistent-disk-copy-tags.ts";
import { parseDiskUrl, regionOf } from "./persistent-disk-ids.ts";
import type { DiskId } from "./persistent-disk-ids.ts";
import { keyName } from "./persistent-disk-marks.ts";
import { diskTypeUrl } from "./persistent-disk-type.ts";

/** A disk that exists only until a copy is made of it. */
export interface TemporaryDisk {
  readonly id: DiskId;
  readonly disk: GceDisk;
}

// The cheapest one that every zone has, and whose quota is the largest: nobody reads it but the service itself.
const plainType = "pd-standard";
// The only types for the disks of confidential machines.
const confidentialType = "hyperdisk-balanced";
// What every zone has of the plain type, and what snapshots of smaller Hyperdisks are too small for.
const minSizeGb = 10;

/** The disks on the way to copies, in the project of the location's disks. */
export class TemporaryDisks {
  readonly #api: PersistentDiskApi;
  readonly #project: string;
  /** Of each region. */
  readonly #zones = new Map<string, Promise<string>>();

  constructor(api: PersistentDiskApi, project: string) {
    this.#api = api;
    this.#project = project;
  }

  /** All of them, or the one of a name, wherever they are. */
  async *list(name: string | undefined, call: Call): AsyncGenerator<TemporaryDisk> {
    const filter = `name eq "${name ?? copyNames}"`;
    for await (const disk of this.#api.listDisks(this.#project, filter, call)) {
      const at = parseDiskUrl(disk.selfLink ?? "");
      if (at?.scope !== "zones" || readCopyMarks(disk.description) === undefined) continue;
      const location = { scope: "zones", name: at.location } as const;
      yield { id: { type: "disks", project: this.#project, location, name: at.name }, disk };
    }
  }

  async find(name: string, call: Call): Promise<TemporaryDisk | undefined> {
    for await (const found of this.list(name, call)) return found;
    return undefined;
  }

  /** The request for the disk that a copy is made of. */
  async planned(
    name: string,
    origin: GceSnapshot,
    marks: CopyMarks,
    destination: CopyDestination,
    call: Call,
  ): Promise<{ readonly id: DiskId; readonly content: GceDisk }> {
    const zone = destination.zone ?? (await this.#zoneFor(origin, destination.region, call));
    const location = { scope: "zones", name: zone } as const;
    const { selfLink, enableConfidentialCompute, snapshotEncryptionKey, diskSizeGb = "0" } = origin;
    const kmsKeyName = destination.kmsKeyName ?? keyName(snapshotEncryptionKey?.kmsKeyName);
    const isConfidential = enableConfidentialCompute === true;
    const content: GceDisk = {
      name,
      description: temporaryDescription(marks),
      labels: temporaryLabels,
      type: diskTypeUrl(isConfidential ? confidentialType : plainType, this.#project, location),
      sizeGb: String(Math.max(Number(diskSizeGb), isConfidential ? 0 : minSizeGb)),
      ...(selfLink === undefined ? {} : { sourceSnapshot: selfLink }),
      ...(kmsKeyName === undefined ? {} : { diskEncryptionKey: { kmsKeyName } }),
      ...(isConfidential ? { enableConfidentialCompute } : {}),
    };
    return { id: { type: "disks", project: this.#project, location, name }, content };
  }

  /** In the region of the copy, whose keys reach no other; for a multi-region, where the disk was. */
  async #zoneFor({ sourceDisk = "" }: GceSnapshot, target: string, call: Call): Promise<string> {
    const source = parseDiskUrl(sourceDisk);
    const isMultiRegion = !target.includes("-");
    if (isMultiRegion && source?.scope === "zones") return source.location;
    const region = isMultiRegion ? source?.location : target;
    if (region === undefined)
      throw new PluginError(
        `find a zone for the copies in ${target}: name one, by copyToRegions: ${target}?zone=ZONE`,
        {
          kind: "invalid-config",
        },
      );
    const zone = this.#zones.get(region) ?? this.#firstZone(region, target, call);
    this.#zones.set(region, zone);
    try {
      return await zone;
    } catch (error) {
      this.#zones.delete(region);
      throw error;
    }
  }

  async #firstZone(region: string, target: string, call: Call): Promise<string> {
    try {
      const zones = await this.#api.listZones(this.#project, region, call);
      const [first] = zones.filter((zone) => regionOf(zone) === region).toSorted();
      if (first !== undefined) return first;
    } catch (error) {
      if (!isKind(error, "denied")) throw error;
      const { code, requestId } = error;
      const remedy = `or name a zone, by copyToRegions: ${target}?zone=ZONE`;
      throw new PluginError(`${error.message}, ${remedy}`, { kind: "denied", code, requestId, cause: error });
    }
    throw new PluginError(`find a zone of ${region}: Compute Engine names none`, { kind: "invalid-config" });
  }
}
