import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Clock } from "@flotilla/sdk/plugin";
import { awaitState, withinTime } from "@flotilla/sdk/volumes";
import type { Observed } from "@flotilla/sdk/volumes";
import type { OperationEnd } from "./gce-operation.ts";
import type { GceDisk, GceSnapshot } from "./gce-resources.ts";
import { nameInWords } from "./persistent-disk-api.ts";
import type { Operation, PersistentDiskApi } from "./persistent-disk-api.ts";
import type { GceId } from "./persistent-disk-ids.ts";

/** How long, and in tests on which clock. */
export interface WaitOptions {
  readonly what: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Between 0 and 1. */
  readonly random: () => number;
}

// What fails at once fails within this; what does not is left to Compute Engine.
const briefMs = 600;
const briefBackoff = { baseMs: 300, maxMs: 600 };
// What was just made is not known to every server at once.
const looksBeforeKnown = 5;

/** Watches an operation for a moment and throws what it failed of by then. */
export async function watchBriefly(
  operation: Operation,
  options: Omit<WaitOptions, "timeoutMs">,
  call: Call,
): Promise<void> {
  const brief = { ...options, timeoutMs: briefMs };
  let end: OperationEnd = "unknown";
  try {
    end = await withinTime(brief, call, async (call) => {
      const observe = async (call: Call): Promise<Observed<OperationEnd>> => await operation.look(call);
      return await awaitState({ ...brief, observe, backoff: briefBackoff }, call);
    });
  } catch (error) {
    // It goes on, or could not be looked at: Compute Engine has taken it.
    if (call.signal.aborted) throw error;
    call.log.debug(`${options.what}: left to Compute Engine`, { reason: PluginError.from(error).message });
  }
  if (end instanceof PluginError) throw end;
}

/**
 * Waits for the end of an operation, which is unknown where it may not be looked at; throws what it failed of, or a
 * `timeout` with the last progress.
 */
export async function awaitOperation(
  operation: Operation,
  options: WaitOptions,
  call: Call,
): Promise<Exclude<OperationEnd, PluginError>> {
  const observe = async (call: Call): Promise<Observed<OperationEnd>> => await operation.look(call);
  const end = await withinTime(options, call, async (call) => await awaitState({ ...options, observe }, call));
  if (end instanceof PluginError) throw end;
  return end;
}

/** Waits until a disk or snapshot can be used. A failed one throws. */
export async function awaitReady(
  api: PersistentDiskApi,
  id: GceId,
  options: WaitOptions,
  call: Call,
): Promise<GceDisk | GceSnapshot> {
  let looksLeft = looksBeforeKnown;
  const observe = async (call: Call): Promise<Observed<GceDisk | GceSnapshot>> => {
    looksLeft -= 1;
    try {
      const found = await (id.type === "disks" ? api.getDisk(id, call) : api.getSnapshot(id, call));
      looksLeft = 0;
      return isReady(id, found) ? { done: true, value: found } : { done: false, progress: found.status ?? "" };
    } catch (error) {
      if (isKind(error, "not-found") && looksLeft > 0) return { done: false, progress: "not known yet" };
      throw error;
    }
  };
  return await withinTime(options, call, async (call) => await awaitState({ ...options, observe }, call));
}

/** Whether a disk or snapshot can be used; one that never will be throws. */
export function isReady(id: GceId, { status = "READY" }: GceDisk | GceSnapshot): boolean {
  if (status === "FAILED" || status === "DELETING")
    throw new PluginError(`${nameInWords(id)} is in the state ${status}; it cannot be used`, {
      kind: status === "FAILED" ? "corrupt" : "conflict",
      code: status,
    });
  return status !== "CREATING" && status !== "UPLOADING" && status !== "RESTORING";
}
