import { checkKnown, readBody, readText } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { findDisk } from "./disks.ts";
import { GceError } from "./gce-error.ts";
import { fingerprintOf, readLabels } from "./labels.ts";
import type { Labels } from "./labels.ts";
import { diskPath, snapshotPath } from "./model.ts";
import { begin } from "./operations.ts";
import { findSnapshot } from "./snapshots.ts";

/** disks.setLabels, regionDisks.setLabels. */
export const setDiskLabels: Handler = (call) => {
  const disk = findDisk(call, "compute.disks.setLabels");
  const path = diskPath(disk);
  const labels = readChange(call, disk.labels);
  const failure = call.takeFailure([path]);
  if (failure === undefined) call.state.disks.set(path, { ...disk, labels });
  return begin(call, { type: "setLabels", target: path, targetId: disk.id, failure });
};

/** snapshots.setLabels. */
export const setSnapshotLabels: Handler = (call) => {
  const snapshot = findSnapshot(call, "compute.snapshots.setLabels");
  const path = snapshotPath(snapshot);
  const labels = readChange(call, snapshot.labels);
  const failure = call.takeFailure([path]);
  if (failure === undefined) call.state.snapshots.set(path, { ...snapshot, labels });
  return begin(call, { type: "setLabels", target: path, targetId: snapshot.id, failure });
};

function readChange(call: Call, before: Labels): Labels {
  const body = readBody(call);
  checkKnown(body, { used: ["labels", "labelFingerprint"], written: [], unsupported: [] });
  const labels = readLabels(body["labels"]);
  if (readText(body, "labelFingerprint") === fingerprintOf(before)) return labels;
  throw new GceError(412, "conditionNotMet", "Labels fingerprint either invalid or resource labels have changed");
}
