import { withRetry } from "../plugin/index.ts";
import { StallWatch } from "./deadline.ts";
import { nameOf } from "./object-name.ts";
import { ReadAhead, segmentBytesFor } from "./read-ahead.ts";
import { readSegment } from "./segment.ts";
import { readerAwayMs, stallLimitMs } from "./time-limits.ts";
import { planParts } from "./part-plan.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { BlobRead, StoredChecksum } from "./blob-driver.ts";
import type { TransferContext } from "./transfer-context.ts";

/** An opened download. */
export interface Download {
  readonly sizeBytes: number;
  readonly version: string;
  /** As recorded in the store; undefined where it keeps none. */
  readonly checksum: StoredChecksum | undefined;
  /** The bytes of one version, in order. Must be iterated once; leaving it early frees everything. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Opens an object. The first request asks for the whole, so that a small object takes no second one; of a large one only
 * the first part is read there, and the rest comes in ranges of the same version, several at a time, as far as memory is
 * free. What fails on the way is resumed where it stopped.
 */
export async function openDownload(context: TransferContext, object: ObjectRef, call: Call): Promise<Download> {
  const what = `get ${nameOf(object)}`;
  const { opened, watch } = await withRetry(
    context.retry,
    call,
    what,
    async () => await openWhole(context, object, call),
  );
  return {
    sizeBytes: opened.sizeBytes,
    version: opened.version,
    checksum: opened.checksum,
    body: readWhole(context, object, opened, watch, call),
  };
}

async function openWhole(
  { driver, retry }: TransferContext,
  object: ObjectRef,
  call: Call,
): Promise<{ opened: BlobRead; watch: StallWatch }> {
  const what = `get ${nameOf(object)}`;
  const watch = new StallWatch({ clock: retry.clock, limitMs: stallLimitMs, signal: call.signal, what });
  try {
    const inner: Call = { log: call.log, signal: watch.signal };
    return { opened: await watch.wait(async () => await driver.read(object.key, inner)), watch };
  } catch (error) {
    watch.close();
    throw error;
  }
}

async function* readWhole(
  context: TransferContext,
  object: ObjectRef,
  { sizeBytes, version, body }: BlobRead,
  watch: StallWatch,
  call: Call,
): AsyncGenerator<Uint8Array, void, void> {
  const { limitBytes } = context.pool.budget;
  const { firstPartBytes } = planParts(context.driver.limits, limitBytes);
  const segmentBytes = Math.min(firstPartBytes, segmentBytesFor(limitBytes));
  const whole = { object, version, start: 0, end: sizeBytes };
  const firstEnd = sizeBytes <= firstPartBytes ? sizeBytes : segmentBytes;
  const first = { body, watch, reachesFurther: firstEnd < sizeBytes };
  const ahead = new ReadAhead(context, { ...whole, start: firstEnd }, segmentBytes, call);
  // The server abandons reads without saying so; what was fetched for such a reader is given up.
  let isReaderAway = false;
  const away = context.retry.clock.timer(readerAwayMs, () => {
    if (isReaderAway) ahead.drop();
  });
  try {
    let current: AsyncIterable<Uint8Array> | undefined = readSegment(context, { ...whole, end: firstEnd }, call, first);
    while (current !== undefined) {
      ahead.fill();
      for await (const chunk of current) {
        isReaderAway = true;
        away.refresh();
        yield chunk;
        isReaderAway = false;
      }
      current = ahead.take();
    }
  } finally {
    away.cancel();
    ahead.close();
    watch.close();
  }
}
