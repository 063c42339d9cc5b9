import { Pace } from "./pace.ts";
import { readSegment } from "./segment.ts";
import type { Call } from "../plugin/index.ts";
import type { OpenedBody, Segment } from "./segment.ts";
import type { TransferContext } from "./transfer-context.ts";

/**
 * Reads a large object by the connection that opened it, to its end as long as that is fast. Once it is slow, `spread` is
 * told how far it came, has others read the rest, and answers where that begins.
 */
export async function* readFirst(
  context: TransferContext,
  whole: Segment,
  opened: OpenedBody,
  call: Call,
  spread: (position: number) => number,
): AsyncGenerator<Uint8Array, void, void> {
  // Its end is read again with each try, so that a connection that is cut after it was found slow asks for no more.
  const stretch = { ...whole };
  let position = whole.start;
  const pace = new Pace(context.retry.clock, () => {
    stretch.end = spread(position);
  });
  try {
    pace.wait();
    for await (const chunk of readSegment(context, stretch, call, opened)) {
      pace.arrived(chunk.byteLength);
      const left = stretch.end - position;
      const part = chunk.byteLength > left ? chunk.subarray(0, left) : chunk;
      position += part.byteLength;
      yield part;
      if (position === stretch.end) return;
      pace.wait();
    }
  } finally {
    pace.close();
  }
}
