import { notAllowed } from "./arm-error.ts";
import { begin } from "./call.ts";
import type { Call, Handler } from "./call.ts";
import { completionPercent } from "./model.ts";
import type { Disk, Snapshot } from "./model.ts";
import { keyOf } from "./resource-id.ts";

/** Disks_Delete. */
export const deleteDisk: Handler = (call) => {
  const disk = call.state.disks.get(keyOf(call.id));
  if (disk?.managedBy !== undefined) {
    throw notAllowed(`Disk ${disk.id.name} is attached to VM ${disk.managedBy}.`);
  }
  return remove(call, call.state.disks, disk);
};

/** Snapshots_Delete. */
export const deleteSnapshot: Handler = (call) => {
  const snapshot = call.state.snapshots.get(keyOf(call.id));
  const outcome = remove(call, call.state.snapshots, snapshot);
  if (snapshot !== undefined) endCopies(call, snapshot);
  return outcome;
};

function remove<T extends Disk | Snapshot>(call: Call, all: Map<string, T>, one: T | undefined): ReturnType<Handler> {
  if (one === undefined) return { status: 204 };
  call.regions.check(one.location);
  if (one.accessUntilMs !== undefined && call.nowMs < one.accessUntilMs) {
    throw notAllowed(
      `There is an active shared access signature outstanding for disk ${one.id.name}. Call EndGetAccess before attaching or deleting this disk.`,
    );
  }
  const failure = call.takeFailure([keyOf(call.id)]);
  preempt(call);
  const operation = begin(call, one.location, "delete", failure && { failure });
  if (failure === undefined) all.set(keyOf(call.id), { ...one, goneMs: one.goneMs ?? operation.readyMs });
  return { status: 202, operation };
}

// A delete takes the place of a write that is still going on.
function preempt(call: Call): void {
  const key = keyOf(call.id);
  for (const [name, operation] of call.state.operations) {
    const isRunning = operation.verb === "write" && call.nowMs < operation.readyMs && keyOf(operation.resource) === key;
    if (isRunning) call.state.operations.set(name, { ...operation, preemptedMs: call.nowMs });
  }
}

// Documented: a source must stay until its copy is complete.
function endCopies(call: Call, source: Snapshot): void {
  for (const [key, copy] of call.state.snapshots) {
    const isOfSource = copy.creation.createOption === "CopyStart" && copy.creation.sourceUniqueId === source.uniqueId;
    if (!isOfSource || copy.copyFailure !== undefined || completionPercent(copy, call.nowMs) === 100) continue;
    const message = "The source snapshot was deleted while the background copy was in progress.";
    call.state.snapshots.set(key, { ...copy, copyFailure: { code: "CopySourceNotFound", message, atMs: call.nowMs } });
  }
}
