import { PluginError, withRetry } from "../plugin/index.ts";
import { firstAnswer, retryRefusals } from "./ask-places.ts";
import { ObjectPlace } from "./copy-place.ts";
import { onEachCopy } from "./each-copy.ts";
import { listCommonPrefixes, listObjects } from "./listing.ts";
import { makeCopy } from "./make-copy.ts";
import { nameOf } from "./object-name.ts";
import { readVerified } from "./read-places.ts";
import type {
  Call,
  Clock,
  ListQuery,
  ObjectDescription,
  ObjectInspector,
  ObjectRef,
  ObjectStore,
  PrefixQuery,
} from "../plugin/index.ts";
import type { BlobDriver } from "./blob-driver.ts";
import type { CopyPlace, LocationRoot } from "./copy-place.ts";
import type { BlobLister } from "./listing.ts";
import type { TransferContext } from "./transfer-context.ts";

/** Where a location's objects are copied to. */
export interface CopiesOptions {
  /** What is copied; objects elsewhere are none of the copies' business. */
  readonly root: LocationRoot;
  readonly places: readonly CopyPlace[];
}

/** What the layer works with. */
export interface CopiesContext {
  readonly primary: TransferContext;
  readonly clock: Clock;
  /** The same as for the location's own bucket, with another driver. */
  readonly contextFor: (driver: BlobDriver) => TransferContext;
}

type Store = ObjectStore & ObjectInspector;

/**
 * Keeps copies of a location's objects in other places and reads from them what the location cannot give. The location
 * itself stays the one that is believed: its lists are the lists, and what it has verified is served.
 */
export function withCopies(store: Store, options: CopiesOptions, context: CopiesContext): Store {
  const layer = new CopiesLayer(store, options, context);
  const { root } = options;
  const folder = folderOf(root);
  const isOurs = (bucket: string, key: string): boolean => bucket === root.bucket && key.startsWith(folder);
  const pick = ({ bucket, key }: ObjectRef): Store => (isOurs(bucket, key) ? layer : store);
  return {
    putObject: async (object, body, call) => await pick(object).putObject(object, body, call),
    getObject: (object, call) => pick(object).getObject(object, call),
    objectExists: async (object, call) => await pick(object).objectExists(object, call),
    describeObject: async (object, call) => await pick(object).describeObject(object, call),
    deleteObject: async (object, call) => await pick(object).deleteObject(object, call),
    createSignedUrl: async (object, ttl, call) => await pick(object).createSignedUrl(object, ttl, call),
    listObjects: async (query, call) =>
      await (isOurs(query.bucket, query.prefix) ? layer : store).listObjects(query, call),
    listCommonPrefixes: async (query, call) =>
      await (isOurs(query.bucket, query.prefix) ? layer : store).listCommonPrefixes(query, call),
  };
}

class CopiesLayer implements Store {
  readonly #store: Store;
  readonly #primary: ObjectPlace;
  readonly #copies: readonly ObjectPlace[];
  readonly #all: readonly ObjectPlace[];
  readonly #warned = new Set<string>();
  /** The prefix of all that the location holds. */
  readonly #top: string;

  constructor(store: Store, { root, places }: CopiesOptions, { primary, clock, contextFor }: CopiesContext) {
    this.#store = store;
    this.#top = folderOf(root);
    const own = { name: `bucket "${root.bucket}"`, bucket: root.bucket, prefix: undefined, mode: undefined };
    this.#primary = new ObjectPlace(root, own, async () => primary, clock);
    this.#copies = places.map(
      (place) => new ObjectPlace(root, place, async () => contextFor(await place.open()), clock),
    );
    this.#all = [this.#primary, ...this.#copies];
  }

  async putObject(object: ObjectRef, body: AsyncIterable<Uint8Array>, call: Call): Promise<void> {
    await this.#primary.ask(call, async () => await this.#store.putObject(object, body, call));
    const original = { context: await this.#primary.context(), ref: object };
    const words = {
      failed: `put ${nameOf(object)}: it is stored, but not copied to`,
      warning: "an object was stored without its copy: make it with `flotilla backup copy`",
      fields: { ...object },
    };
    await onEachCopy(this.#copies, call, words, async (place) => {
      // Without this, each put would wait once more for a place that is known to be out of reach.
      if (place.mode === "best-effort" && place.unreachable !== undefined) throw place.unreachable;
      await place.ask(call, async () => {
        const copy = { context: await place.context(), ref: place.refOf(object) };
        await makeCopy(original, copy, { outlastsSilence: place.mode === "required" }, call);
      });
    });
  }

  async *getObject(object: ObjectRef, call: Call): AsyncGenerator<Uint8Array, void, void> {
    const { place, body, failures } = await readVerified(this.#all, object, call);
    const reason = failures.find((failure) => failure.place === this.#primary)?.error ?? this.#primary.unreachable;
    if (place !== this.#primary) this.#warn(call, "reading an object from its copy", place, nameOf(object), reason);
    yield* body;
  }

  async objectExists(object: ObjectRef, call: Call): Promise<boolean> {
    const { place, answer } = await this.#firstStat(object, call);
    if (answer !== undefined) return true;
    const copy = place === this.#primary ? await this.#findCopy(object, call) : undefined;
    // The server asks before it makes a backup of a name: what only a copy still holds must not be written over.
    if (copy !== undefined) this.#warn(call, "only a copy of this object is left", copy, nameOf(object), undefined);
    return copy !== undefined;
  }

  async describeObject(object: ObjectRef, call: Call): Promise<ObjectDescription> {
    const { answer } = await this.#firstStat(object, call);
    if (answer !== undefined) return answer;
    throw new PluginError(`describe ${nameOf(object)}: not found`, { kind: "not-found" });
  }

  async listCommonPrefixes(query: PrefixQuery, call: Call): Promise<readonly string[]> {
    // The names at the top are looked at to see whether the location can be used, not for what it holds.
    const mayLack = query.prefix === this.#top;
    const list = async (lister: BlobLister, there: PrefixQuery) => await listCommonPrefixes(lister, there, call);
    return await this.#list(query, mayLack, call, list);
  }

  async listObjects(query: ListQuery, call: Call): Promise<readonly string[]> {
    return await this.#list(query, false, call, async (lister, there) => await listObjects(lister, there, call));
  }

  async deleteObject(object: ObjectRef, call: Call): Promise<void> {
    const words = {
      failed: `delete ${nameOf(object)}: it is kept in its own bucket, since this copy cannot be deleted:`,
      warning: "the copy of a deleted object is left behind: delete it by hand",
      fields: { ...object },
    };
    // The copies first: after the location's own object nothing would lead a second try to them.
    await onEachCopy(this.#copies, call, words, async (place) => {
      if (place.unreachable !== undefined) throw place.unreachable;
      await place.ask(call, async () => {
        const { driver } = await place.context();
        await place.within(
          call,
          "delete",
          object,
          async (inner) => await driver.remove(place.keyOf(object.key), inner),
        );
      });
    });
    await this.#primary.ask(call, async () => await this.#store.deleteObject(object, call));
  }

  async createSignedUrl(object: ObjectRef, ttlSeconds: number, call: Call): Promise<string> {
    const place = await this.#placeToSignFor(object, call);
    if (place === this.#primary) return await this.#store.createSignedUrl(object, ttlSeconds, call);
    const { driver } = await place.context();
    const url = await driver.sign(place.keyOf(object.key), ttlSeconds, call);
    this.#warn(call, "signing a URL of a copy", place, nameOf(object), this.#primary.unreachable);
    return url;
  }

  /** Looks where the object is, since a URL is read by somebody who cannot ask anybody else. */
  async #placeToSignFor(object: ObjectRef, call: Call): Promise<ObjectPlace> {
    try {
      const { place, answer } = await firstAnswer(this.#all, call, async (place) => {
        return await this.#knownStat(place, object, call);
      });
      if (answer !== undefined) return place;
      return (await this.#findCopy(object, call)) ?? this.#primary;
    } catch (error) {
      if (call.signal.aborted) throw error;
      // Signing needs no answer: what cannot be looked up may still be read.
      call.log.info("the object of a signed URL cannot be looked up", {
        ...object,
        reason: PluginError.from(error).message,
      });
      return this.#primary;
    }
  }

  async #firstStat(
    object: ObjectRef,
    call: Call,
  ): Promise<{ readonly place: ObjectPlace; readonly answer: ObjectDescription | undefined }> {
    return await this.#first(call, nameOf(object), async (place) => await this.#knownStat(place, object, call));
  }

  /**
   * The same, but that a copy is missing says nothing about the object: a best-effort one may have failed, and where a
   * required place has nothing of a backup, the backup may be older than its copies. The server takes "absent" for a
   * backup without snapshots, and restores empty volumes. What it asks of restores/ is what it could not store during
   * the outage; there it must go on.
   */
  async #knownStat(place: ObjectPlace, object: ObjectRef, call: Call): Promise<ObjectDescription | undefined> {
    const description = await this.#stat(place, object, call);
    if (description !== undefined || place === this.#primary) return description;
    const isOfBackup = object.key.startsWith(`${this.#top}backups/`);
    if (place.mode === "required" && (!isOfBackup || (await this.#hasFolderOf(place, object, call)))) return undefined;
    throw new PluginError(`${nameOf(place.refOf(object))}: there is no copy, which tells nothing of the object`, {
      kind: "incomplete",
    });
  }

  async #stat(place: ObjectPlace, object: ObjectRef, call: Call): Promise<ObjectDescription | undefined> {
    const { driver, retry } = await place.contextBesideOthers();
    const what = `look up ${nameOf(place.refOf(object))}`;
    return await place.within(call, "look up", object, async (inner) => {
      return await withRetry(retry, inner, what, async () => await driver.stat(place.keyOf(object.key), inner));
    });
  }

  async #hasFolderOf(place: ObjectPlace, { bucket, key }: ObjectRef, call: Call): Promise<boolean> {
    const folder = { bucket, key: key.slice(0, key.lastIndexOf("/") + 1) };
    const { driver } = await place.context();
    return await place.within(call, "list", folder, async (inner) => {
      const query = { prefix: place.keyOf(folder.key), delimiter: undefined };
      for await (const { keys } of driver.list(query, inner)) if (keys.length > 0) return true;
      return false;
    });
  }

  async #list<Q extends ListQuery>(
    query: Q,
    mayLack: boolean,
    call: Call,
    list: (lister: BlobLister, there: Q) => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    const what = `the list of "${query.prefix}" in bucket "${query.bucket}"`;
    const { place, answer } = await this.#first(call, what, async (place) => {
      // The server drops from its cluster what a list lacks, and deletes no more of a backup than a list holds.
      if (place.mode === "best-effort" && !mayLack) throw notAllThere(place);
      const { driver, retry } = await place.context();
      const lister: BlobLister = {
        list: (there, call) => place.watchedPages(call, there.prefix, (inner) => driver.list(there, inner)),
      };
      const there = { ...query, bucket: place.bucket, prefix: place.keyOf(query.prefix) };
      return await retryRefusals(retry, call, what, async () => await list(lister, there));
    });
    return place === this.#primary ? answer : answer.map((key) => place.originalOf(key));
  }

  /** Asks the location, and copies only where it is out of reach. */
  async #first<T>(
    call: Call,
    what: string,
    ask: (place: ObjectPlace) => Promise<T>,
  ): Promise<{ readonly place: ObjectPlace; readonly answer: T }> {
    const { place, answer } = await firstAnswer(this.#all, call, ask);
    if (place !== this.#primary)
      this.#warn(call, "answering for a location that is out of reach", place, what, this.#primary.unreachable);
    return { place, answer };
  }

  /** A copy of what the location itself does not have. */
  async #findCopy(object: ObjectRef, call: Call): Promise<ObjectPlace | undefined> {
    for (const place of this.#copies) {
      if (place.unreachable !== undefined) continue;
      try {
        const description = await place.ask(call, async () => await this.#stat(place, object, call));
        if (description !== undefined) return place;
      } catch (error) {
        if (call.signal.aborted) throw error;
        const reason = PluginError.from(error).message;
        call.log.info("a copy cannot be asked for an object", { ...object, copy: place.name, reason });
      }
    }
    return undefined;
  }

  /** Once for each object and thing that was done. */
  #warn(call: Call, message: string, place: ObjectPlace, what: string, reason: PluginError | undefined): void {
    const id = `${message} ${what}`;
    if (this.#warned.has(id)) return;
    this.#warned.add(id);
    call.log.warn(`${message}: ${place.name}`, { what, copy: place.name, reason: reason?.message });
  }
}

function folderOf({ prefix }: LocationRoot): string {
  return prefix === "" ? "" : `${prefix}/`;
}

function notAllThere({ name }: ObjectPlace): PluginError {
  const remedy = "open it as a location of its own to see what it has";
  return new PluginError(`a best-effort copy may lack some objects, so that its list is none; ${remedy} (${name})`, {
    kind: "incomplete",
  });
}
