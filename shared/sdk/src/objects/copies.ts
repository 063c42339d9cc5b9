import { PluginError, withRetry } from "../plugin/index.ts";
import { askPlaces, retryRefusals } from "./ask-places.ts";
import { ObjectPlace } from "./copy-place.ts";
import { deleteWithCopies } from "./delete-copies.ts";
import { onEachCopy } from "./each-copy.ts";
import { listCommonPrefixes, listObjects } from "./listing.ts";
import { makeCopy } from "./make-copy.ts";
import { nameOf } from "./object-name.ts";
import { isUnreachable } from "./reach.ts";
import { readVerified } from "./read-places.ts";
import { whileInReach } from "./while-in-reach.ts";
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
import type { PlaceAnswer, Question } from "./ask-places.ts";
import type { BlobDriver } from "./blob-driver.ts";
import type { CopyPlace, LocationRoot } from "./copy-place.ts";
import type { BlobLister } from "./listing.ts";
import type { TransferContext } from "./transfer-context.ts";

/** For so long may a place be out of reach before what is to be stored there fails. */
const outageMs = 30_000;
/** The same for a copy that need not be made. */
const briefOutageMs = 10_000;
/** The same for one that was being made when its place was lost. */
const laterOutageMs = 60_000;

type Listing<Q> = (lister: BlobLister, query: Q, call: Call) => Promise<readonly string[]>;

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
    const store = async (call: Call): Promise<void> => await this.#store.putObject(object, body, call);
    // Looked at until it answers, and not while the object's own bytes fill the line.
    const bound = { object, giveUpMs: outageMs };
    await this.#primary.ask(call, async () => await whileInReach(this.#primary, bound, call, store));
    const words = {
      failed: `put ${nameOf(object)}: it is stored, but not copied to`,
      warning: "an object was stored without its copy: make it with `flotilla backup copy`",
      fields: { ...object },
    };
    await onEachCopy(this.#copies, call, words, async (place) => await this.#copyTo(place, object, call));
  }

  async #copyTo(place: ObjectPlace, object: ObjectRef, call: Call): Promise<void> {
    const isRequired = place.mode === "required";
    // Without this, each put would wait once more for a place that is known to be out of reach.
    if (!isRequired && place.reach.unreachable !== undefined) throw place.reach.unreachable;
    const original = { context: await this.#primary.context(), ref: object };
    const bound = { object, giveUpMs: isRequired ? outageMs : briefOutageMs, lostMs: laterOutageMs };
    const copyOnce = async (call: Call): Promise<void> => {
      const copy = { context: await place.context(), ref: place.refOf(object) };
      await makeCopy(original, copy, { outlastsSilence: isRequired }, call);
    };
    await place.ask(call, async () => await whileInReach(place, bound, call, copyOnce));
  }

  async *getObject(object: ObjectRef, call: Call): AsyncGenerator<Uint8Array, void, void> {
    const { place, answer, failures } = await readVerified(this.#all, object, call);
    const reason = failures.find((failure) => failure.place === this.#primary)?.error ?? this.#primary.reach.reason;
    if (place !== this.#primary) this.#warn(call, "reading an object from its copy", place, nameOf(object), reason);
    yield* answer;
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
    const list: Listing<PrefixQuery> = listCommonPrefixes;
    if (query.prefix !== this.#top) return await this.#listOwn(query, call, list);
    // The names at the top are looked at to see whether the location can be used, not for what it holds.
    const what = listNamed(query);
    const { place, answer } = await this.#first(call, what, {
      ask: async (place, call) => await this.#list(place, query, false, call, list),
      mayAnswerBeside: () => true,
      countsBeside: () => true,
    });
    return place === this.#primary ? answer : answer.map((key) => place.originalOf(key));
  }

  async listObjects(query: ListQuery, call: Call): Promise<readonly string[]> {
    return await this.#listOwn<ListQuery>(query, call, listObjects);
  }

  async deleteObject(object: ObjectRef, call: Call): Promise<void> {
    const places = {
      primary: this.#primary,
      copies: this.#copies,
      look: async (call: Call) => await this.#stat(this.#primary, object, call),
      remove: async (call: Call) => await this.#store.deleteObject(object, call),
      copy: async (place: ObjectPlace, call: Call) => await this.#copyTo(place, object, call),
    };
    await deleteWithCopies(places, object, call);
  }

  async createSignedUrl(object: ObjectRef, ttlSeconds: number, call: Call): Promise<string> {
    const place = await this.#placeToSignFor(object, call);
    if (place === this.#primary) return await this.#store.createSignedUrl(object, ttlSeconds, call);
    const { driver } = await place.context();
    const url = await driver.sign(place.keyOf(object.key), ttlSeconds, call);
    this.#warn(call, "signing a URL of a copy", place, nameOf(object), this.#primary.reach.reason);
    return url;
  }

  /** Looks where the object is, since a URL is read by somebody who cannot ask anybody else. */
  async #placeToSignFor(object: ObjectRef, call: Call): Promise<ObjectPlace> {
    try {
      const { place, answer } = await askPlaces(this.#all, call, this.#isThere(object));
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

  async #firstStat(object: ObjectRef, call: Call): Promise<PlaceAnswer<ObjectDescription | undefined>> {
    return await this.#first(call, nameOf(object), this.#isThere(object));
  }

  #isThere(object: ObjectRef): Question<ObjectDescription | undefined> {
    return {
      ask: async (place, call) => await this.#knownStat(place, object, call),
      isFinal: isOwnRefusal,
      mayAnswerBeside: ({ mode }) => mode === "required",
      // That an object is absent is for the location to say, as long as it may be slow only.
      countsBeside: (answer) => answer !== undefined,
    };
  }

  /**
   * The same, but that a copy is missing says nothing about the object: a best-effort one may have failed, and a required
   * place may have a part of a backup only, which is older than its copies. The server takes "absent" for a backup without
   * snapshots, and restores empty volumes. What it asks of restores/ is what it could not store during the outage; there
   * it must go on.
   */
  async #knownStat(place: ObjectPlace, object: ObjectRef, call: Call): Promise<ObjectDescription | undefined> {
    const description = await this.#stat(place, object, call);
    if (description !== undefined || place === this.#primary) return description;
    const backup = this.#backupOf(object);
    const isWhole = backup === undefined || (await this.#stat(place, backup, call)) !== undefined;
    if (place.mode === "required" && isWhole) return undefined;
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

  /** The object of the same backup that the server and `flotilla backup copy` count on as the sign of a whole one. */
  #backupOf({ bucket, key }: ObjectRef): ObjectRef | undefined {
    const folder = `${this.#top}backups/`;
    const end = key.indexOf("/", folder.length);
    if (!key.startsWith(folder) || end < 0) return undefined;
    return { bucket, key: `${key.slice(0, end)}/velero-backup.json` };
  }

  /**
   * The server drops from its cluster each backup that a list lacks, and deletes no more of one than a list holds. No copy
   * can know that it lacks nothing: what was put without `copyTo`, or by somebody else, is not in it.
   */
  async #listOwn<Q extends ListQuery>(query: Q, call: Call, list: Listing<Q>): Promise<readonly string[]> {
    try {
      return await this.#primary.ask(call, async () => await this.#list(this.#primary, query, true, call, list));
    } catch (error) {
      if (call.signal.aborted || !isUnreachable(error)) throw error;
      throw notListed(error, this.#copies);
    }
  }

  /** `isAlone`: no other place is asked where this one fails. */
  async #list<Q extends ListQuery>(
    place: ObjectPlace,
    query: Q,
    isAlone: boolean,
    call: Call,
    list: Listing<Q>,
  ): Promise<readonly string[]> {
    const { driver, retry } = await (isAlone && !place.reach.isLost ? place.context() : place.contextBesideOthers());
    const lister: BlobLister = {
      list: (there, call) => place.watchedPages(call, there.prefix, (inner) => driver.list(there, inner)),
    };
    const there = { ...query, bucket: place.bucket, prefix: place.keyOf(query.prefix) };
    return await retryRefusals(retry, call, listNamed(query), async () => await list(lister, there, call));
  }

  /** Asks the location, and copies only where it does not answer. */
  async #first<T>(call: Call, what: string, question: Omit<Question<T>, "isFinal">): Promise<PlaceAnswer<T>> {
    const found = await askPlaces(this.#all, call, { ...question, isFinal: isOwnRefusal });
    if (found.place !== this.#primary)
      this.#warn(call, "answering for a location that does not answer", found.place, what, this.#primary.reach.reason);
    return found;
  }

  /** A copy of what the location itself does not have. */
  async #findCopy(object: ObjectRef, call: Call): Promise<ObjectPlace | undefined> {
    for (const place of this.#copies) {
      if (place.reach.unreachable !== undefined) continue;
      try {
        // The location has answered: nobody is to wait long for what others might add.
        const description = await place.ask(call, async () => await place.look(object, call));
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

/** The location itself is believed whatever it answers, a refusal included. */
function isOwnRefusal({ mode }: ObjectPlace, error: unknown): boolean {
  return mode === undefined && !isUnreachable(error);
}

function listNamed({ bucket, prefix }: ListQuery): string {
  return `the list of "${prefix}" in bucket "${bucket}"`;
}

function notListed(error: PluginError, copies: readonly ObjectPlace[]): PluginError {
  const { kind, code, requestId } = error;
  const names = copies.map(({ name }) => name).join(" or ");
  const why = "a copy is not asked for a list, since it may lack backups, which the server would drop from its cluster";
  const remedy = `to see what is in ${names}, open it as a location of its own`;
  return new PluginError(`${error.message}; ${why}; ${remedy}`, { kind, code, requestId, cause: error });
}
