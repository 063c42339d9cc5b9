import { PluginError, withRetry } from "../plugin/index.ts";
import { combineChecksums } from "./checksum.ts";
import { withDeadline } from "./deadline.ts";
import { nameOf } from "./object-name.ts";
import { completeLimitMs, discardLimitMs, requestLimitMs, stallLimitMs } from "./time-limits.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { BlobUpload, Checksum, UploadedPart } from "./blob-driver.ts";
import type { CutPart } from "./part-cutter.ts";
import type { TransferContext } from "./transfer-context.ts";

/** More at a time than the memory bound allows by default, few enough not to be throttled. */
const maxPartsInFlight = 10;

/** The parts of one object on their way. Nothing is started before the first part. */
export class PartedUpload {
  readonly #context: TransferContext;
  readonly #object: ObjectRef;
  readonly #call: Call;
  readonly #onFailure: (error: unknown) => void;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #uploaded: UploadedPart[] = [];
  #upload: BlobUpload | undefined;
  #sizeBytes = 0;
  #checksum: Checksum | undefined;

  /** `onFailure` is told as soon as one part failed for good, and shall abort the call. */
  constructor(context: TransferContext, object: ObjectRef, call: Call, onFailure: (error: unknown) => void) {
    this.#context = context;
    this.#object = object;
    this.#call = call;
    this.#onFailure = onFailure;
  }

  /** Of all parts so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Sends one part, in the order of their numbers. Resolves once the next may be prepared, which for a driver that takes
   * one at a time is while this one travels.
   */
  async send(part: CutPart): Promise<void> {
    const upload = (this.#upload ??= await this.#start());
    if (this.#context.driver.takesPartsInOrder === true) await Promise.all(this.#inFlight);
    this.#call.signal.throwIfAborted();
    this.#checksum = part.number === 1 ? part.checksum : this.#combine(part);
    this.#sizeBytes += part.body.byteLength;
    const task = this.#sendPart(upload, part)
      .catch(this.#onFailure)
      .finally(() => this.#inFlight.delete(task));
    this.#inFlight.add(task);
    while (this.#inFlight.size >= maxPartsInFlight) await Promise.race(this.#inFlight);
    this.#call.signal.throwIfAborted();
  }

  /** Waits for all parts and makes the object visible. `whole`: the hash over all bytes, where it was computed. */
  async complete(whole?: Checksum): Promise<void> {
    await Promise.all(this.#inFlight);
    this.#call.signal.throwIfAborted();
    const upload = this.#upload ?? (await this.#start());
    const parts = this.#uploaded.toSorted((a, b) => a.number - b.number);
    // Not tried again here: after a lost answer the upload is gone or whole, which only the driver can tell apart.
    await this.#request(`complete the upload of ${nameOf(this.#object)}`, completeLimitMs, async (call) => {
      await upload.complete({ parts, sizeBytes: this.#sizeBytes, checksum: whole ?? this.#checksum }, call);
    });
    this.#upload = undefined;
  }

  /** Removes what was sent, when the call was aborted. Never throws: the failure that led here is the one to report. */
  async discard(): Promise<void> {
    await Promise.all(this.#inFlight);
    const upload = this.#upload;
    this.#upload = undefined;
    if (upload !== undefined) await this.#abort(upload);
  }

  async #abort(upload: BlobUpload): Promise<void> {
    const { retry } = this.#context;
    const { log } = this.#call;
    const what = `abort the upload of ${nameOf(this.#object)}`;
    // A signal of its own: the upload's was aborted.
    const { signal } = new AbortController();
    try {
      await withDeadline({ clock: retry.clock, limitMs: discardLimitMs, signal, what }, async (inner) => {
        const call: Call = { log, signal: inner };
        await withRetry(retry, call, what, async () => await upload.abort(call));
      });
    } catch (error) {
      const reason = PluginError.from(error).message;
      log.info(`${what} failed: its parts cost storage until a lifecycle rule removes them`, { reason });
    }
  }

  #combine({ checksum, body }: CutPart): Checksum | undefined {
    if (this.#checksum === undefined || checksum === undefined) return undefined;
    return combineChecksums(this.#checksum, checksum, body.byteLength);
  }

  async #start(): Promise<BlobUpload> {
    const { driver, retry } = this.#context;
    const what = `start the upload of ${nameOf(this.#object)}`;
    const start = async (call: Call): Promise<BlobUpload> => {
      const upload = await driver.startUpload(this.#object.key, call);
      // An answer that came too late: nobody waits for it any more, and nobody else knows of the upload.
      if (call.signal.aborted) await this.#abort(upload);
      return upload;
    };
    return await withRetry(retry, this.#call, what, async () => await this.#request(what, stallLimitMs, start));
  }

  async #sendPart(upload: BlobUpload, { number, body, checksum, release }: CutPart): Promise<void> {
    const what = `put part ${number} of ${nameOf(this.#object)}`;
    const limitMs = requestLimitMs(body.byteLength);
    let tries = 0;
    const uploaded = await withRetry(this.#context.retry, this.#call, what, async () => {
      tries += 1;
      return await this.#request(what, limitMs, async (call) => await upload.putPart(number, body, checksum, call));
    });
    this.#uploaded.push(uploaded);
    // A try that was given up may still be on its way, and read the buffer.
    release(tries === 1);
  }

  async #request<T>(what: string, limitMs: number, run: (call: Call) => Promise<T>): Promise<T> {
    const { clock } = this.#context.retry;
    const { signal, log } = this.#call;
    return await withDeadline({ clock, limitMs, signal, what }, async (inner) => await run({ log, signal: inner }));
  }
}
