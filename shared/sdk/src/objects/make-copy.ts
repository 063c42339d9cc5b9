import { isKind, PluginError, withRetry } from "../plugin/index.ts";
import { retryRefusals } from "./ask-places.ts";
import { compareCopy } from "./compare-copy.ts";
import { copySourceOf } from "./copy-source.ts";
import { withDeadline } from "./deadline.ts";
import { openDownload } from "./download.ts";
import { verified } from "./integrity.ts";
import { nameOf } from "./object-name.ts";
import { withRestarts } from "./restart.ts";
import { completeLimitMs, requestLimitMs } from "./time-limits.ts";
import { uploadObject } from "./upload.ts";
import type { Call } from "../plugin/index.ts";
import type { BlobDescription } from "./blob-driver.ts";
import type { PlacedObject } from "./compare-copy.ts";

/** How long a place is waited for that does not take its copy. */
export interface CopyPatience {
  /** Whether a request that stayed long without an answer is sent again: not where the copy may be missing. */
  readonly outlastsSilence: boolean;
}

/**
 * Copies an object that is durable in one place to another, and proves the copy: one whose bytes differ is removed and is
 * `corrupt`. The store copies where it can and does so well; otherwise the bytes pass through this process.
 */
export async function makeCopy(
  original: PlacedObject,
  copy: PlacedObject,
  patience: CopyPatience,
  call: Call,
): Promise<void> {
  let wasCorrupt = false;
  await withRestarts(copy.ref, call, async (isLast) => {
    const source = await describe(original, call);
    try {
      const made =
        isLast && wasCorrupt
          ? await carryOver(original, copy, call)
          : await copyInStoreIfPossible(original, source, copy, patience, call);
      await compareCopy({ ...original, description: source }, { ...copy, description: made }, call);
    } catch (error) {
      if (isKind(error, "corrupt")) {
        wasCorrupt = true;
        await removeCorrupt(copy, call);
      }
      throw error;
    }
  });
}

async function copyInStoreIfPossible(
  original: PlacedObject,
  description: BlobDescription,
  copy: PlacedObject,
  patience: CopyPatience,
  call: Call,
): Promise<BlobDescription> {
  try {
    return await copyInStore(original, description, copy, patience, call);
  } catch (error) {
    if (!isKind(error, "unsupported")) throw error;
    const fields = { ...copy.ref, reason: error.message };
    call.log.info("the store cannot copy this object itself: its bytes pass through the plugin", fields);
    return await passThrough(original, copy, call);
  }
}

/** After the store's own copies arrived damaged, and were removed. */
async function carryOver(original: PlacedObject, copy: PlacedObject, call: Call): Promise<BlobDescription> {
  call.log.warn("the store's copies of an object arrive damaged: its bytes pass through the plugin", { ...copy.ref });
  return await passThrough(original, copy, call);
}

async function passThrough(original: PlacedObject, copy: PlacedObject, call: Call): Promise<BlobDescription> {
  const body = verified(original.ref, await openDownload(original.context, original.ref, call), call);
  await uploadObject(copy.context, copy.ref, body, call);
  return await describe(copy, call);
}

async function copyInStore(
  original: PlacedObject,
  description: BlobDescription,
  { context, ref }: PlacedObject,
  { outlastsSilence }: CopyPatience,
  call: Call,
): Promise<BlobDescription> {
  const { driver, retry } = context;
  const source = copySourceOf(original.context.driver, original.ref, description);
  const what = `copy ${nameOf(original.ref)} to ${nameOf(ref)}`;
  const limitMs = completeLimitMs + requestLimitMs(source.sizeBytes);
  const repeat = outlastsSilence ? withRetry : retryRefusals;
  return await repeat(retry, call, what, async () => {
    return await withDeadline({ clock: retry.clock, limitMs, signal: call.signal, what }, async (signal) => {
      if (driver.copyFrom === undefined) throw new PluginError(`${what}: not offered`, { kind: "unsupported" });
      return await driver.copyFrom(source, ref.key, { log: call.log, signal });
    });
  });
}

async function describe({ context, ref }: PlacedObject, call: Call): Promise<BlobDescription> {
  const { driver, retry } = context;
  const what = `look up ${nameOf(ref)}`;
  const description = await withRetry(retry, call, what, async () => await driver.stat(ref.key, call));
  if (description !== undefined) return description;
  throw new PluginError(`${what}: it is gone again; something else deletes objects of this location`, {
    kind: "conflict",
  });
}

async function removeCorrupt({ context, ref }: PlacedObject, call: Call): Promise<void> {
  try {
    await context.driver.remove(ref.key, call);
  } catch (error) {
    call.log.info("a corrupt copy could not be removed", { ...ref, reason: PluginError.from(error).message });
  }
}
