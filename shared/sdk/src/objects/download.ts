import { withRetry } from "../plugin/index.ts";
import { StallWatch } from "./deadline.ts";
import { readFirst } from "./first-connection.ts";
import { nameOf } from "./object-name.ts";
import { ReadAhead, segmentBytesFor } from "./read-ahead.ts";
import { readSegment } from "./segment.ts";
import { readerAwayMs, stallLimitMs } from "./time-limits.ts";
import { planParts } from "./part-plan.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { BlobRead, StoredChecksum } from "./blob-driver.ts";
import type { OpenedBody, Segment } from "./segment.ts";
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
 * Opens an object. The first request asks for the whole, so that a small object takes no second one, nor does a large one
 * from a store that is near. Where its connection is slow, the rest comes in ranges of the same version, several at a
 * time, as far as memory is free. What fails on the way is resumed where it stopped.
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
    body: readBody(context, object, opened, watch, call),
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

function readBody(
  context: TransferContext,
  object: ObjectRef,
  { sizeBytes, version, body }: BlobRead,
  watch: StallWatch,
  call: Call,
): AsyncIterable<Uint8Array> {
  const whole = { object, version, start: 0, end: sizeBytes };
  const { firstPartBytes } = planParts(context.driver.limits, context.pool.budget.limitBytes);
  return sizeBytes <= firstPartBytes
    ? readSegment(context, whole, call, { body, watch })
    : readLarge(context, whole, { body, watch }, firstPartBytes, call);
}

async function* readLarge(
  context: TransferContext,
  whole: Segment,
  opened: OpenedBody,
  mostSegmentBytes: number,
  call: Call,
): AsyncGenerator<Uint8Array, void, void> {
  const segmentBytes = Math.min(mostSegmentBytes, segmentBytesFor(context.pool.budget.limitBytes));
  const ahead = new ReadAhead(context, whole, segmentBytes, call);
  const spread = (position: number): number => ahead.start(Math.min(position + segmentBytes, whole.end));
  // The server abandons reads without saying so; what was fetched for such a reader is given up.
  let isReaderAway = false;
  const away = context.retry.clock.timer(readerAwayMs, () => {
    if (isReaderAway) ahead.drop();
  });
  try {
    let current: AsyncIterable<Uint8Array> | undefined = readFirst(context, whole, opened, call, spread);
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
  }
}
