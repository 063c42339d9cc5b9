import { isKind, MadeOnce, PluginError } from "../plugin/index.ts";
import { StallWatch } from "./deadline.ts";
import { nameOf } from "./object-name.ts";
import { isAnswer, isUnreachable, quickMs, Reach } from "./reach.ts";
import type { Call, Clock, CopyMode, ObjectRef } from "../plugin/index.ts";
import type { BlobDescription, BlobDriver } from "./blob-driver.ts";
import type { TransferContext } from "./transfer-context.ts";

/** A place for copies, as a plugin describes it. */
export interface CopyPlace {
  /** For logs and errors: `s3://bucket/prefix`. */
  readonly name: string;
  readonly bucket: string;
  /** Takes the place of the location's prefix; undefined where keys stay as they are. */
  readonly prefix: string | undefined;
  readonly mode: CopyMode;
  /** Called when the place is first needed, and again after it threw. */
  open(): Promise<BlobDriver>;
}

/** The part of a bucket that a location is. */
export interface LocationRoot {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
}

/** While there is another place to ask: fewer tries than where there is none. */
const triesBesideOthers = 3;

/** What a service answered so long ago may say why it does not answer now. */
const recentMs = 60_000;

/** Where objects of a location can be: the location itself, or one of its copies. */
export class ObjectPlace {
  readonly name: string;
  readonly bucket: string;
  /** Undefined for the location itself. */
  readonly mode: CopyMode | undefined;
  readonly #fromPrefix: string;
  readonly #toPrefix: string;
  readonly clock: Clock;
  /** What is known of whether the place answers. */
  readonly reach: Reach;
  readonly #context: MadeOnce<TransferContext>;

  constructor(
    root: LocationRoot,
    place: Omit<CopyPlace, "mode" | "open"> & { readonly mode: CopyMode | undefined },
    open: () => Promise<TransferContext>,
    clock: Clock,
  ) {
    this.name = place.name;
    this.bucket = place.bucket;
    this.mode = place.mode;
    this.#fromPrefix = asFolder(root.prefix);
    this.#toPrefix = place.prefix === undefined ? this.#fromPrefix : asFolder(place.prefix);
    this.#context = new MadeOnce(open);
    this.clock = clock;
    this.reach = new Reach(clock);
  }

  /** Where the location's object is in this place. */
  refOf({ key }: Pick<ObjectRef, "key">): ObjectRef {
    return { bucket: this.bucket, key: this.keyOf(key) };
  }

  /** The key (or prefix) in this place of a key of the location. */
  keyOf(key: string): string {
    return this.#toPrefix + key.slice(this.#fromPrefix.length);
  }

  /** The key (or prefix) of the location that one of this place stands for. */
  originalOf(key: string): string {
    return this.#fromPrefix + key.slice(this.#toPrefix.length);
  }

  /** How transfers to this place are done when it is the only one in question. */
  async context(): Promise<TransferContext> {
    return await this.#context.get();
  }

  /** How reads are done while there are other places to ask. */
  async contextBesideOthers(): Promise<TransferContext> {
    const context = await this.context();
    const tries = this.reach.isLost ? 1 : Math.min(context.retry.tries, triesBesideOthers);
    return { ...context, retry: { ...context.retry, tries } };
  }

  /** Asks this place, and remembers whether it answers. */
  async ask<T>(call: Call, work: () => Promise<T>): Promise<T> {
    try {
      const answer = await work();
      this.reach.answered();
      return answer;
    } catch (error) {
      if (call.signal.aborted) throw error;
      if (isUnreachable(error)) this.reach.failed(error);
      else if (isAnswer(error)) this.reach.answered();
      throw error;
    }
  }

  /** What is known of an object, by a place that answers at once; throws where it does not. */
  async look(object: Pick<ObjectRef, "key">, call: Call): Promise<BlobDescription | undefined> {
    const { driver, lastFailure } = await this.context();
    const request = async (call: Call): Promise<BlobDescription | undefined> =>
      await driver.stat(this.keyOf(object.key), call);
    try {
      return await waitWith(this.#watchFor(quickMs, call, "look up", object), call, request);
    } catch (error) {
      const before = lastFailure?.current;
      const isRecent = before !== undefined && this.clock.now() - before.atMs < recentMs;
      throw isRecent && isKind(error, "timeout") && !call.signal.aborted ? inWordsOf(before.error, error) : error;
    }
  }

  /** One request, which may be silent for so long and no longer. */
  async within<T>(
    call: Call,
    verb: string,
    object: Pick<ObjectRef, "key">,
    request: (call: Call) => Promise<T>,
  ): Promise<T> {
    return await waitWith(this.watch(call, verb, object), call, request);
  }

  /** The same pages, with that bound on the wait for each. */
  async *watchedPages<T>(
    call: Call,
    prefix: string,
    list: (call: Call) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, void> {
    const what = `list "${prefix}" in bucket "${this.bucket}"`;
    const watch = new StallWatch({ clock: this.clock, limitMs: this.reach.patienceMs, signal: call.signal, what });
    const pages = list({ log: call.log, signal: watch.signal })[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await watch.wait(async () => await pages.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      // One that still waits for the store would answer only after that.
      if (!watch.signal.aborted) await pages.return?.();
      watch.close();
    }
  }

  /** A bound on each single wait for this place. */
  watch(call: Call, verb: string, object: Pick<ObjectRef, "key">): StallWatch {
    return this.#watchFor(this.reach.patienceMs, call, verb, object);
  }

  #watchFor(limitMs: number, call: Call, verb: string, object: Pick<ObjectRef, "key">): StallWatch {
    const what = `${verb} ${nameOf(this.refOf(object))}`;
    return new StallWatch({ clock: this.clock, limitMs, signal: call.signal, what });
  }
}

/** An SDK that tries again by itself keeps to itself what the service answers. */
function inWordsOf(before: PluginError, error: PluginError): PluginError {
  const { kind, code, requestId } = before;
  return new PluginError(`${error.message}; before: ${before.message}`, { kind, code, requestId, cause: error });
}

async function waitWith<T>(watch: StallWatch, { log }: Call, request: (call: Call) => Promise<T>): Promise<T> {
  try {
    return await watch.wait(async () => await request({ log, signal: watch.signal }));
  } finally {
    watch.close();
  }
}

/** What every place had to say, under the kind of the location's own error. */
export function allFailed(failures: readonly PlaceFailure[]): PluginError {
  const own = failures.find(({ place }) => place.mode === undefined);
  const others = failures.filter((failure) => failure !== own);
  // What a copy might still hold is not known to be absent, and the server would act on that word.
  const unsure = own?.error.kind === "not-found" ? others.find(({ error }) => error.kind !== "not-found") : undefined;
  const first = unsure?.error ?? own?.error ?? others[0]?.error;
  const texts = [
    ...(own === undefined ? [] : [own.error.message]),
    ...others.map(({ place, error }) => `${place.name}: ${error.message}`),
  ];
  return new PluginError(texts.join("; "), {
    kind: first?.kind ?? "internal",
    code: first?.code,
    requestId: first?.requestId,
    cause: first,
  });
}

/** What one place answered. */
export interface PlaceFailure {
  readonly place: ObjectPlace;
  readonly error: PluginError;
}

function asFolder(prefix: string): string {
  return prefix === "" ? "" : `${prefix}/`;
}
