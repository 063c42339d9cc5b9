import { invalidParameter, notAllowed } from "./arm-error.ts";
import type { Call } from "./call.ts";
import type { Source } from "./creation.ts";
import { completionPercent } from "./model.ts";
import type { Snapshot } from "./model.ts";
import { formatId } from "./resource-id.ts";

// Documented: so many copies at a time in a subscription and region.
const maxCopies = 100;

/** Checks what the documentation asks of a copy to another region: incremental, one of a disk at a time, in their order. */
export function checkCopyStart(call: Call, source: Source, location: string, isIncremental: boolean): Source {
  if (source.kind === "disk" || !source.snapshot.isIncremental) {
    throw invalidParameter("CopyStart is supported for incremental snapshots only; the source is none.");
  }
  if (!isIncremental) {
    throw invalidParameter("CopyStart makes incremental snapshots only; 'properties.incremental' must be true.");
  }
  const { snapshot } = source;
  if (snapshot.location === location) {
    throw invalidParameter(`CopyStart copies to another region; source and target are both in '${location}'.`);
  }
  checkOthers(call, snapshot, location);
  return source;
}

function checkOthers(call: Call, source: Snapshot, location: string): void {
  const copies = [...call.state.snapshots.values()].filter(
    (one) => one.creation.createOption === "CopyStart" && one.location === location,
  );
  const running = copies.filter((one) => one.copyFailure === undefined && completionPercent(one, call.nowMs) < 100);
  const ofSubscription = running.filter(
    (one) => one.id.subscriptionId.toLowerCase() === call.id.subscriptionId.toLowerCase(),
  );
  if (ofSubscription.length >= maxCopies) {
    throw notAllowed(`Only ${maxCopies} snapshots can be copied to '${location}' at the same time.`);
  }
  const sourceOf = (copy: Snapshot): Snapshot | undefined =>
    [...call.state.snapshots.values()].find((one) => one.uniqueId === copy.creation.sourceUniqueId);
  const isOfFamily = (copy: Snapshot): boolean => sourceOf(copy)?.familyId === source.familyId;
  const busy = running.find(isOfFamily);
  if (busy !== undefined) {
    throw notAllowed(
      `Only one incremental snapshot of a disk can be copied at a time; the copy to '${formatId(busy.id)}' is in progress.`,
    );
  }
  const later = copies.find((copy) => isOfFamily(copy) && (sourceOf(copy)?.createdMs ?? 0) > source.createdMs);
  if (later === undefined) return;
  throw notAllowed(
    `Snapshots must be copied in the order of their creation; '${formatId(later.id)}' is of a later one.`,
  );
}
