import { randomUUID } from "node:crypto";
import { advice, failure, isKind, ok } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { copyFindings } from "@flotilla/sdk/volumes";
import type { VolumeSnapshotterConfig } from "./config.ts";
import type { PersistentDiskApi } from "./persistent-disk-api.ts";
import type { CopyDestination } from "./persistent-disk-copier.ts";
import type { SnapshotId } from "./persistent-disk-ids.ts";

/** What is looked at. */
export interface CheckedCopies {
  readonly config: VolumeSnapshotterConfig;
  readonly api: PersistentDiskApi;
  readonly diskProject: string;
  readonly snapshotProject: string;
  readonly destinations: readonly CopyDestination[];
}

interface Trial {
  readonly permission: string;
  readonly attempt: () => Promise<unknown>;
  /** Whether it names only what has to be there: a project or a region that is not is no matter of a made-up name. */
  readonly needsAnswer: boolean;
}

/** A request that the service answers where it allows it. */
function answered(permission: string, attempt: Trial["attempt"]): Trial {
  return { permission, attempt, needsAnswer: true };
}

/** A request on a name that nobody has. */
function unknown(permission: string, attempt: Trial["attempt"]): Trial {
  return { permission, attempt, needsAnswer: false };
}

/** Tries what copies need beside the permissions of a location, on names that nobody has. */
export async function* checkCopies(checked: CheckedCopies, call: Call): AsyncGenerator<Finding> {
  const { config, api, diskProject, snapshotProject, destinations } = checked;
  if (destinations.length === 0) return;
  yield* copyFindings(config);
  const name = `flotilla-check-${randomUUID()}`;
  const filter = `name eq "${name}"`;
  yield* tryAll("copyToRegions", [
    answered(
      "compute.snapshots.list",
      async () => await Array.fromAsync(api.listSnapshots(snapshotProject, filter, call)),
    ),
    answered("compute.disks.list", async () => await Array.fromAsync(api.listDisks(diskProject, filter, call))),
  ]);
  for (const { region, project, zone } of destinations) {
    const snapshot: SnapshotId = { type: "snapshots", project, name };
    const zones: readonly Trial[] =
      zone === undefined && region.includes("-")
        ? [answered("compute.regions.get", async () => await api.listZones(diskProject, region, call))]
        : [];
    const ofProject: readonly Trial[] =
      project === snapshotProject
        ? []
        : [
            answered(
              "compute.snapshots.list",
              async () => await Array.fromAsync(api.listSnapshots(project, filter, call)),
            ),
            unknown("compute.snapshots.get", async () => await api.getSnapshot(snapshot, call)),
            unknown("compute.snapshots.delete", async () => await api.delete(snapshot, call)),
            unknown(
              "compute.snapshots.create",
              async () => await api.createSnapshot(snapshot, nothing(name, diskProject), call),
            ),
          ];
    yield* tryAll(`copyToRegions ${region}`, [...zones, ...ofProject]);
    if (project === snapshotProject && config.snapshotLocation === undefined)
      yield advice(
        `copyToRegions ${region}`,
        "snapshots are stored in the multi-region nearest to the disk, which may be the copies' own",
        "set snapshotLocation, so that it is known where snapshots are, or look whether they need copies at all",
      );
  }
}

async function* tryAll(subject: string, trials: readonly Trial[]): AsyncGenerator<Finding> {
  for (const { permission, attempt, needsAnswer } of trials) {
    const what = `${subject}: ${permission}`;
    try {
      await attempt();
      yield ok(what, "allowed");
    } catch (error) {
      // Permissions are looked at before what was named.
      const isAllowed = !needsAnswer && (isKind(error, "not-found") || isKind(error, "invalid-argument"));
      yield isAllowed ? ok(what, "allowed") : failure(what, error);
      // In a project or region that is not there, nobody has the made-up names either.
      if (needsAnswer && !isKind(error, "denied")) return;
    }
  }
}

/** A request for a snapshot of a disk that nobody has. */
function nothing(name: string, diskProject: string): { readonly name: string; readonly sourceDisk: string } {
  return { name, sourceDisk: `projects/${diskProject}/zones/us-central1-a/disks/${name}` };
}
