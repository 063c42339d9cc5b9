import type { Call } from "./call.ts";
import { GceError } from "./gce-error.ts";
import type { Problem } from "./gce-error.ts";
import type { Disk } from "./model.ts";
import { regionOf } from "./place.ts";

/** How much of something there is, and how much there may be. */
export interface Quota {
  readonly metric: string;
  readonly limit: number;
  readonly usage: number;
}

const unlimited = 1_000_000;

/** Returns the quotas of a project. */
export function projectQuotas(call: Call): readonly Quota[] {
  const { project, state, settings } = call;
  const usage = [...state.snapshots.values()].filter((one) => one.project === project).length;
  return [{ metric: "SNAPSHOTS", limit: settings.quotas.snapshots ?? unlimited, usage }];
}

/** Returns the quotas of a region. */
export function regionQuotas(call: Call, region: string): readonly Quota[] {
  const { quotas } = call.settings;
  const disks = [...call.state.disks.values()].filter(
    (disk) => disk.project === call.project && regionOfDisk(disk) === region,
  );
  const sum = (metric: string): number =>
    disks.filter((disk) => metricOf(disk.type) === metric).reduce((gb, disk) => gb + disk.sizeGb, 0);
  return [
    { metric: "DISKS_TOTAL_GB", limit: quotas.disksTotalGb ?? unlimited, usage: sum("DISKS_TOTAL_GB") },
    { metric: "SSD_TOTAL_GB", limit: quotas.ssdTotalGb ?? unlimited, usage: sum("SSD_TOTAL_GB") },
  ];
}

/** Refuses one more snapshot than there may be; returns the refusal where the operation is to tell it. */
export function checkSnapshotQuota(call: Call): Problem | undefined {
  return check(call, projectQuotas(call), "SNAPSHOTS", 1, "globally");
}

/** Refuses a disk that there is no room for; returns the refusal where the operation is to tell it. */
export function checkDiskQuota(call: Call, region: string, type: string, sizeGb: number): Problem | undefined {
  return check(call, regionQuotas(call, region), metricOf(type), sizeGb, `in region ${region}`);
}

function check(call: Call, quotas: readonly Quota[], metric: string, more: number, where: string): Problem | undefined {
  const quota = quotas.find((one) => one.metric === metric);
  if (quota === undefined || quota.usage + more <= quota.limit) return undefined;
  const message = `Quota '${metric}' exceeded.  Limit: ${quota.limit.toFixed(1)} ${where}.`;
  if (call.settings.quotaFailure === "operation") return { code: "QUOTA_EXCEEDED", message, status: 403 };
  throw new GceError(403, "quotaExceeded", message);
}

function metricOf(type: string): string {
  return type === "pd-standard" ? "DISKS_TOTAL_GB" : "SSD_TOTAL_GB";
}

function regionOfDisk({ place }: Disk): string {
  return place.kind === "zone" ? regionOf(place.name) : place.name;
}
