import { giveBlock, isBlock, isKind, PluginError } from "../plugin/index.ts";
import { askPlaces } from "./ask-places.ts";
import { openDownload } from "./download.ts";
import { verified } from "./integrity.ts";
import { nameOf } from "./object-name.ts";
import { withRestarts } from "./restart.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { StoredChecksum } from "./blob-driver.ts";
import type { PlaceAnswer } from "./ask-places.ts";
import type { ObjectPlace } from "./copy-place.ts";
import type { StallWatch } from "./deadline.ts";
import type { Download } from "./download.ts";

/** An object of this size, and within a quarter of the location's memory, is held back until it is verified. */
const mostHeldBytes = 16 * 1024 ** 2;

/** What is known of an object that turned out to be damaged: a copy of other bytes is no copy of it. */
interface Expected {
  readonly sizeBytes: number;
  readonly checksum: StoredChecksum | undefined;
}

/** A verified object that waits for its reader. */
type Ready = PlaceAnswer<AsyncIterable<Uint8Array>>;

/**
 * Reads an object from the first place that has it whole. Bytes that have left cannot be taken back, so none leaves
 * before all of them were verified: a small object is held back meanwhile, a larger one is read twice.
 */
export async function readVerified(places: readonly ObjectPlace[], object: ObjectRef, call: Call): Promise<Ready> {
  let expected: Expected | undefined;
  const damaged = (seen: Expected): void => void (expected ??= seen);
  return await askPlaces<AsyncIterable<Uint8Array>>(places, call, {
    ask: async (place, call, heard) => await prepare(place, object, { expected, damaged, heard }, call),
    // Another place may have what this one lacks, forbids or has damaged.
    isFinal: () => false,
    // One that need not be made may be of an older object, and the location is perhaps only slow.
    mayAnswerBeside: ({ mode }) => mode === "required",
    countsBeside: () => true,
    discard: (body) => void (body instanceof HeldChunks && body.drop()),
    isStream: true,
  });
}

interface Preparation {
  readonly expected: Expected | undefined;
  readonly damaged: (seen: Expected) => void;
  /** Called when the place begins to answer. */
  readonly heard: () => void;
}

async function prepare(
  place: ObjectPlace,
  object: ObjectRef,
  { expected, damaged, heard }: Preparation,
  call: Call,
): Promise<AsyncIterable<Uint8Array>> {
  const ref = place.refOf(object);
  return await withRestarts(ref, call, async () => {
    const watch = place.watch(call, "get", object);
    try {
      const inner: Call = { log: call.log, signal: watch.signal };
      const context = await place.contextBesideOthers();
      const download = await watch.wait(async () => await openDownload(context, ref, inner));
      heard();
      const share = context.pool.openReadAhead();
      const isHeld =
        download.sizeBytes <= mostHeld(context.pool.budget.limitBytes) && share.tryTake(download.sizeBytes);
      const keep = isHeld ? new HeldChunks(() => share.close()) : undefined;
      try {
        await readThrough(ref, download, { expected, damaged, watch, keep, call: inner });
      } catch (error) {
        share.close();
        throw error;
      }
      return keep ?? (await readAgain(place, ref, download, call));
    } finally {
      watch.close();
    }
  });
}

function mostHeld(memoryLimitBytes: number): number {
  return Math.min(mostHeldBytes, memoryLimitBytes / 4);
}

interface FirstPass {
  readonly expected: Expected | undefined;
  readonly damaged: (seen: Expected) => void;
  readonly watch: StallWatch;
  readonly keep: HeldChunks | undefined;
  readonly call: Call;
}

async function readThrough(ref: ObjectRef, download: Download, pass: FirstPass): Promise<void> {
  const { expected, damaged, watch, keep, call } = pass;
  let chunks = verified(ref, download, call);
  if (expected !== undefined) chunks = verified(ref, { ...download, ...expected, body: chunks }, call);
  try {
    // By hand, so that each wait is bounded: nobody reads along who could be slow instead of the store.
    for (let step = await watch.wait(async () => await chunks.next()); step.done !== true;) {
      if (keep === undefined) giveBlock(step.value);
      else keep.add(step.value);
      step = await watch.wait(async () => await chunks.next());
    }
  } catch (error) {
    keep?.drop();
    // One that still waits for the store would answer only after that.
    if (!watch.signal.aborted) await chunks.return();
    if (isKind(error, "corrupt")) damaged(download);
    throw error;
  }
}

/** The second reading, of the very version that the first one verified. */
async function readAgain(
  place: ObjectPlace,
  ref: ObjectRef,
  first: Download,
  call: Call,
): Promise<AsyncIterable<Uint8Array>> {
  const download = await openDownload(await place.context(), ref, call);
  const isSame = download.version === first.version && download.sizeBytes === first.sizeBytes;
  if (isSame) return verified(ref, download, call);
  await download.body[Symbol.asyncIterator]().return?.();
  throw new PluginError(`get ${nameOf(ref)}: it changed while it was verified`, { kind: "conflict" });
}

/** Chunks that are handed out once, and whose memory is counted until then. */
class HeldChunks implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  readonly #release: () => void;

  constructor(release: () => void) {
    this.#release = release;
  }

  add(chunk: Uint8Array): void {
    // A block is ours until we give it away; any other chunk is its maker's as soon as the next one is asked for.
    this.#chunks.push(isBlock(chunk) ? chunk : Uint8Array.from(chunk));
  }

  drop(): void {
    for (const chunk of this.#chunks.splice(0)) giveBlock(chunk);
    this.#release();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) yield chunk;
    } finally {
      this.drop();
    }
  }
}
