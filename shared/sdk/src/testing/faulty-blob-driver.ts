import { PluginError } from "../plugin/index.ts";
import type {
  BlobDescription,
  BlobDriver,
  BlobPage,
  BlobRange,
  BlobRead,
  BlobUpload,
  Checksum,
  CompletedUpload,
  CopySource,
  UploadedPart,
} from "../objects/index.ts";
import type { Call } from "../plugin/index.ts";

/** The requests of a driver and of its uploads. */
export type BlobRequest =
  | "stat"
  | "read"
  | "readRange"
  | "put"
  | "list"
  | "remove"
  | "copyFrom"
  | "sign"
  | "startUpload"
  | "putPart"
  | "complete"
  | "abort";

/** What goes wrong. */
export type FaultAction =
  /** The request fails before it reaches the store. */
  | { readonly does: "fail"; readonly error: PluginError }
  /** The store does it, but the answer is lost. */
  | { readonly does: "lose-answer"; readonly error: PluginError }
  /** No answer until the signal aborts; never, unless it heeds the signal. */
  | { readonly does: "hang"; readonly heedsSignal: boolean }
  /** The request reaches the store late, whatever the signal says meanwhile. */
  | { readonly does: "wait"; readonly until: Promise<void> }
  /** Something happens just before the request. */
  | { readonly does: "meanwhile"; readonly run: () => void }
  /** The bytes sent or received differ at one place. */
  | { readonly does: "flip"; readonly atByte: number }
  /** The body breaks off with `unavailable`, unless it ends before. */
  | { readonly does: "cut"; readonly afterBytes: number }
  /** The body ends early as if it were whole. */
  | { readonly does: "shorten"; readonly afterBytes: number }
  /** The body goes on beyond its end. */
  | { readonly does: "lengthen"; readonly byBytes: number }
  /** The body stops without a word, and ignores the signal. */
  | { readonly does: "stall"; readonly afterBytes: number };

/** When something goes wrong. */
export interface Fault {
  readonly on: BlobRequest;
  /** Which requests of this name, counted from 1; all unless told. */
  readonly nth?: readonly number[];
  readonly action: FaultAction;
}

/** A driver whose requests go wrong as told. */
export class FaultyBlobDriver implements BlobDriver {
  /** How often each request was made, those that failed included. */
  readonly counts = new Map<BlobRequest, number>();
  readonly #inner: BlobDriver;
  readonly #faults: readonly Fault[];

  constructor(inner: BlobDriver, faults: readonly Fault[]) {
    this.#inner = inner;
    this.#faults = faults;
  }

  get limits(): BlobDriver["limits"] {
    return this.#inner.limits;
  }

  get hashesWholeObject(): boolean {
    return this.#inner.hashesWholeObject ?? false;
  }

  get refusesHeld(): boolean {
    return this.#inner.refusesHeld ?? false;
  }

  get takesPartsInOrder(): boolean {
    return this.#inner.takesPartsInOrder ?? false;
  }

  get firstPartBytes(): number | undefined {
    return this.#inner.firstPartBytes;
  }

  get checksumAlgorithm(): BlobDriver["checksumAlgorithm"] {
    return this.#inner.checksumAlgorithm;
  }

  async stat(key: string, call: Call): Promise<BlobDescription | undefined> {
    return await this.#request("stat", call, async () => await this.#inner.stat(key, call));
  }

  async read(key: string, call: Call): Promise<BlobRead> {
    return await this.#request("read", call, async (action) => {
      const opened = await this.#inner.read(key, call);
      return { ...opened, body: faultyBody(opened.body, action) };
    });
  }

  async readRange(key: string, range: BlobRange, call: Call): Promise<AsyncIterable<Uint8Array>> {
    return await this.#request("readRange", call, async (action) =>
      faultyBody(await this.#inner.readRange(key, range, call), action),
    );
  }

  async put(key: string, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<void> {
    await this.#request("put", call, async (action) => await this.#inner.put(key, sent(body, action), checksum, call));
  }

  async startUpload(key: string, call: Call): Promise<BlobUpload> {
    return await this.#request("startUpload", call, async () => {
      const upload = await this.#inner.startUpload(key, call);
      return {
        putPart: async (number, body, checksum, call): Promise<UploadedPart> =>
          await this.#request("putPart", call, async (action) =>
            upload.putPart(number, sent(body, action), checksum, call),
          ),
        complete: async (whole: CompletedUpload, call: Call): Promise<void> =>
          await this.#request("complete", call, async () => await upload.complete(whole, call)),
        abort: async (call: Call): Promise<void> =>
          await this.#request("abort", call, async () => await upload.abort(call)),
      };
    });
  }

  async *list(
    query: { readonly prefix: string; readonly delimiter: string | undefined },
    call: Call,
  ): AsyncGenerator<BlobPage> {
    for await (const page of this.#inner.list(query, call)) yield await this.#request("list", call, async () => page);
  }

  async remove(key: string, call: Call): Promise<void> {
    await this.#request("remove", call, async () => await this.#inner.remove(key, call));
  }

  async copyFrom(source: CopySource, key: string, call: Call): Promise<BlobDescription> {
    return await this.#request("copyFrom", call, async () => {
      if (this.#inner.copyFrom === undefined) throw new PluginError("not offered", { kind: "unsupported" });
      return await this.#inner.copyFrom(source, key, call);
    });
  }

  async sign(key: string, ttlSeconds: number, call: Call): Promise<string> {
    return await this.#request("sign", call, async () => await this.#inner.sign(key, ttlSeconds, call));
  }

  async #request<T>(
    name: BlobRequest,
    { signal }: Call,
    run: (action: FaultAction | undefined) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    const action = this.#faults.find(({ on, nth }) => on === name && (nth?.includes(count) ?? true))?.action;
    if (action?.does === "fail") throw action.error;
    if (action?.does === "meanwhile") action.run();
    if (action?.does === "wait") await action.until;
    if (action?.does === "hang") await silence(action.heedsSignal ? signal : undefined);
    const answer = await run(action);
    if (action?.does === "lose-answer") throw action.error;
    return answer;
  }
}

function sent(body: Uint8Array, action: FaultAction | undefined): Uint8Array {
  return action?.does === "flip" ? flipped(body, action.atByte) : body;
}

async function* faultyBody(
  body: AsyncIterable<Uint8Array>,
  action: FaultAction | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  const end = action !== undefined && "afterBytes" in action ? action.afterBytes : Infinity;
  let position = 0;
  for await (const chunk of body) {
    const passed = chunk.subarray(0, end - position);
    yield action?.does === "flip" ? flipped(passed, action.atByte - position) : passed;
    position += passed.byteLength;
    if (position >= end) break;
  }
  if (position >= end || action?.does === "lengthen") yield* faultyEnd(action);
}

async function* faultyEnd(action: FaultAction | undefined): AsyncGenerator<Uint8Array, void, void> {
  if (action?.does === "cut") throw new PluginError("connection reset", { kind: "unavailable" });
  if (action?.does === "stall") await silence(undefined);
  if (action?.does === "lengthen") yield new Uint8Array(action.byBytes);
}

function flipped(bytes: Uint8Array, atByte: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const byte = copy[atByte];
  if (byte !== undefined) copy[atByte] = byte ^ 0x10;
  return copy;
}

async function silence(signal: AbortSignal | undefined): Promise<never> {
  return await new Promise<never>((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
