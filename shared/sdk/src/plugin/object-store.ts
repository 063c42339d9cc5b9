import type { Call } from "./call.ts";

/** One object of one bucket. The server sends full keys: the location's prefix is part of them. */
export interface ObjectRef {
  readonly bucket: string;
  /** Non-empty. */
  readonly key: string;
}

/** What to list. */
export interface ListQuery {
  readonly bucket: string;
  /** May be empty; otherwise usually ends with the delimiter. */
  readonly prefix: string;
}

/** What to list up to the next delimiter. */
export interface PrefixQuery extends ListQuery {
  /** Usually `/`. */
  readonly delimiter: string;
}

/**
 * Where the server keeps backups: the seven calls of its ObjectStore service beside Init, which is
 * {@link ObjectStoreDefinition.open}. Every failure is a PluginError. Calls run concurrently.
 */
export interface ObjectStore {
  /**
   * Stores the body under the key, replacing what was there.
   *
   * The object becomes visible whole, or not at all: when the body throws, the signal aborts or the store fails, the
   * former object (or its absence) stays. Resolves only once the object is durable and its checksum agreed.
   * The chunks belong to the callee only until the next one is asked for.
   */
  putObject(object: ObjectRef, body: AsyncIterable<Uint8Array>, call: Call): Promise<void>;

  /** Whether the object exists. False only for an absent object: a missing bucket or a denied request is an error. */
  objectExists(object: ObjectRef, call: Call): Promise<boolean>;

  /**
   * Streams the object. Bytes of one version only; a corrupt object never ends cleanly: its last chunk is held back
   * until the checksum agrees, and the iteration throws `corrupt` otherwise. An absent object throws `not-found` before
   * the first chunk. A chunk is the reader's only until it asks for the next one, but for a block ({@link isBlock}):
   * that is the reader's to give back. Leaving the iteration early frees everything.
   */
  getObject(object: ObjectRef, call: Call): AsyncIterable<Uint8Array>;

  /**
   * All common prefixes between the query's prefix and the next delimiter, whole (the query's prefix included) and
   * ending with the delimiter. A missing bucket is an error, never an empty list: the server validates locations so.
   */
  listCommonPrefixes(query: PrefixQuery, call: Call): Promise<readonly string[]>;

  /**
   * All keys below the prefix, whole, in the order in which the server shall delete them: descending, so that files go
   * before the folder marker above them.
   */
  listObjects(query: ListQuery, call: Call): Promise<readonly string[]>;

  /** Deletes the object. Deleting an absent object succeeds. */
  deleteObject(object: ObjectRef, call: Call): Promise<void>;

  /** A URL that serves the object to a plain HTTP GET until the time to live, in seconds, has passed. */
  createSignedUrl(object: ObjectRef, ttlSeconds: number, call: Call): Promise<string>;

  /** Frees connections. No call is under way and none follows. */
  close?(): Promise<void>;
}
