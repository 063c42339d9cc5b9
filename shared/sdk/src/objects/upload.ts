import { PluginError, withRetry } from "../plugin/index.ts";
import { linkAbort } from "./abort-link.ts";
import { createChecksum } from "./checksum.ts";
import { withDeadline } from "./deadline.ts";
import { interruptible } from "./interruptible.ts";
import { isHash, ObjectHash } from "./object-hash.ts";
import { nameOf } from "./object-name.ts";
import { cutParts } from "./part-cutter.ts";
import { largestObjectBytes, planParts } from "./part-plan.ts";
import { PartedUpload } from "./parted-upload.ts";
import { requestLimitMs } from "./time-limits.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { BlobDriver } from "./blob-driver.ts";
import type { RunningChecksum } from "./checksum.ts";
import type { CutPart } from "./part-cutter.ts";
import type { TransferContext } from "./transfer-context.ts";

/**
 * Stores a stream of unknown length: in one request when it fits one part, otherwise in parts that travel in parallel.
 * A failure of any kind, the source's and the caller's abort included, leaves nothing and is thrown as it came.
 */
export async function uploadObject(
  context: TransferContext,
  object: ObjectRef,
  body: AsyncIterable<Uint8Array>,
  call: Call,
): Promise<void> {
  const { driver, pool } = context;
  const plan = planParts(driver.limits, pool.budget.limitBytes, driver.firstPartBytes);
  const checksum = await startChecksum(driver);
  const share = pool.openShare(plan.firstPartBytes);
  // A part that fails for good must also end the wait for a slow source.
  const stop = linkAbort(call.signal);
  const inner: Call = { log: call.log, signal: stop.signal };
  const upload = new PartedUpload(context, object, inner, (error) => stop.abort(error));
  try {
    call.signal.throwIfAborted();
    const tooLarge = (): PluginError => describeTooLarge(context, object);
    const source = interruptible(body, stop.signal);
    for await (const part of cutParts(source, { plan, share, checksum, signal: stop.signal, tooLarge })) {
      if (part.number === 1 && part.isLast) return await putWhole(context, object, part, inner);
      if (upload.sizeBytes + part.body.byteLength > driver.limits.maxObjectBytes) throw tooLarge();
      await upload.send(part);
    }
    await upload.complete(checksum instanceof ObjectHash ? checksum.digestWhole() : undefined);
  } catch (error) {
    stop.abort(error);
    await upload.discard();
    throw error;
  } finally {
    stop.unlink();
    share.close();
  }
}

async function startChecksum({
  checksumAlgorithm: algorithm,
  hashesWholeObject,
}: BlobDriver): Promise<RunningChecksum | undefined> {
  if (hashesWholeObject === true && isHash(algorithm)) return new ObjectHash(algorithm);
  return algorithm === "none" ? undefined : await createChecksum(algorithm);
}

async function putWhole(
  { driver, retry }: TransferContext,
  object: ObjectRef,
  part: CutPart,
  call: Call,
): Promise<void> {
  const what = `put ${nameOf(object)}`;
  const limitMs = requestLimitMs(part.body.byteLength);
  let tries = 0;
  await withRetry(retry, call, what, async () => {
    tries += 1;
    await withDeadline({ clock: retry.clock, limitMs, signal: call.signal, what }, async (signal) => {
      await driver.put(object.key, part.body, part.checksum, { log: call.log, signal });
    });
  });
  // A try that was given up may still be on its way, and read the buffer.
  part.release(tries === 1);
}

function describeTooLarge(
  { driver: { limits, firstPartBytes }, pool }: TransferContext,
  object: ObjectRef,
): PluginError {
  const memoryBytes = pool.budget.limitBytes;
  const largest = largestObjectBytes(limits, memoryBytes, firstPartBytes);
  const remedy =
    largest < limits.maxObjectBytes
      ? `the most that parts from ${printSize(memoryBytes)} of memory can hold; raise the location's memoryLimit`
      : "the most that the service accepts";
  return new PluginError(`put ${nameOf(object)}: larger than ${printSize(largest)}, ${remedy}; nothing was stored`, {
    kind: "invalid-argument",
  });
}

function printSize(bytes: number): string {
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
