import { isKind, isTransient, pauseAfter, PluginError } from "../plugin/index.ts";
import { StallWatch } from "./deadline.ts";
import { nameOf } from "./object-name.ts";
import { stallLimitMs } from "./time-limits.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { TransferContext } from "./transfer-context.ts";

/** A stretch of one version of an object. */
export interface Segment {
  readonly object: ObjectRef;
  readonly version: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** A body that already stands at a segment's start. */
export interface OpenedBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborts with the connection's own fault; see {@link StallWatch}. */
  readonly watch: StallWatch;
}

/**
 * Reads a stretch of one version. After a cut, a stall or a range of the wrong length it goes on from the last byte that
 * arrived, with backoff, and gives up after as many failures in a row without a byte in between as the policy has tries.
 */
export async function* readSegment(
  context: TransferContext,
  segment: Segment,
  call: Call,
  first?: OpenedBody,
): AsyncGenerator<Uint8Array, void, void> {
  const { retry } = context;
  const what = `get ${nameOf(segment.object)}`;
  let position = segment.start;
  let opened = first;
  let failed = 0;
  // An opened body is read to its end even when the object is empty, so that its connection is free again.
  while (position < segment.end || opened !== undefined) {
    const before = position;
    // What a body was asked for is what it must bring, whatever becomes of the end meanwhile.
    const { end } = segment;
    try {
      opened ??= await openRange(context, { ...segment, start: position, end }, call);
      for await (const chunk of readExactly(opened, end - position, what)) {
        position += chunk.byteLength;
        yield chunk;
      }
    } catch (error) {
      failed = position > before ? 1 : failed + 1;
      if (call.signal.aborted || !isRetryable(error) || failed >= retry.tries) throw error;
      await pauseAfter(retry, call, what, failed, error);
    }
    opened = undefined;
  }
}

async function openRange({ driver, retry }: TransferContext, segment: Segment, call: Call): Promise<OpenedBody> {
  const { object, start, end, version } = segment;
  const what = `get ${nameOf(object)}`;
  const watch = new StallWatch({ clock: retry.clock, limitMs: stallLimitMs, signal: call.signal, what });
  try {
    const inner: Call = { log: call.log, signal: watch.signal };
    const body = await watch.wait(
      async () => await driver.readRange(object.key, { start, end: end - 1, version }, inner),
    );
    return { body, watch };
  } catch (error) {
    watch.close();
    if (!isKind(error, "not-found")) throw error;
    // It was there when the read began, so this is no plain absence, on which the server would act.
    throw new PluginError(`${what}: it was deleted while it was read`, { kind: "conflict", cause: error });
  }
}

async function* readExactly(opened: OpenedBody, sizeBytes: number, what: string): AsyncGenerator<Uint8Array> {
  const { body, watch } = opened;
  const iterator = body[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Uint8Array>> => await iterator.next();
  let left = sizeBytes;
  let isOver = false;
  try {
    if (sizeBytes === 0) isOver = await endsNow(watch, next);
    while (left > 0) {
      const step = await watch.wait(next);
      isOver = step.done === true;
      if (step.done === true) throw wrongLength(what, `${sizeBytes - left} of ${sizeBytes} bytes`, "unavailable");
      const chunk = step.value.byteLength > left ? step.value.subarray(0, left) : step.value;
      left -= chunk.byteLength;
      if (left === 0) {
        isOver = chunk === step.value && (await endsNow(watch, next));
        if (!isOver) throw wrongLength(what, `more than ${sizeBytes} bytes`, "corrupt");
      }
      yield chunk;
    }
  } finally {
    if (!isOver) await leave(iterator, watch);
    watch.close();
  }
}

async function endsNow(watch: StallWatch, next: () => Promise<IteratorResult<Uint8Array>>): Promise<boolean> {
  for (;;) {
    const step = await watch.wait(next);
    if (step.done === true) return true;
    if (step.value.byteLength > 0) return false;
  }
}

async function leave(iterator: AsyncIterator<Uint8Array>, watch: StallWatch): Promise<void> {
  // What closing a connection has to say about it is of no use to anybody.
  const left = Promise.resolve(iterator.return?.()).catch(() => undefined);
  // A generator that still waits for its own next chunk answers only after that one, which may never come.
  if (!watch.signal.aborted) await left;
}

function isRetryable(error: unknown): boolean {
  return isTransient(error) || isKind(error, "corrupt");
}

function wrongLength(what: string, seen: string, kind: "unavailable" | "corrupt"): PluginError {
  return new PluginError(`${what}: the answer ended after ${seen}; check the network and the store`, { kind });
}
