import { isKind } from "@flotilla/sdk/plugin";
import type { ObjectDescription, ObjectRef } from "@flotilla/sdk/plugin";

import { backupKeys } from "../backup-layout/keys.ts";
import { describeIfPossible } from "../commands/stored-backup.ts";
import type { StorePair } from "../location-sides.ts";
import type { Transfer } from "../output/progress.ts";
import type { OpenedStore, Session } from "../session.ts";
import { BodyDigest } from "./body-digest.ts";
import type { ComparableChecksum, FinishedDigest } from "./body-digest.ts";
import type { Lanes } from "./lanes.ts";

/** What all work of one run on two locations shares. */
export interface PairRun {
  readonly session: Session;
  readonly stores: StorePair;
  /** Bounds how many objects are read or written at once. */
  readonly lanes: Lanes;
  /** All bodies of the run pass through it. */
  readonly transfer: Transfer;
  /** Ends what is under way: by the user, or since something else that it is a part of has failed. */
  readonly signal: AbortSignal;
}

/** One side of an object that both locations may have. */
export interface StoredSide {
  readonly store: OpenedStore;
  readonly object: ObjectRef;
}

/** Where a file of a backup is in a location: the prefixes of two locations may differ. */
export function sideOf(store: OpenedStore, backup: string, file: string): StoredSide {
  const { bucket, prefix } = store.location;
  return { store, object: { bucket, key: `${backupKeys(prefix, backup).folder}${file}` } };
}

/** The files of a backup in a location, by their names below its folder, in order. None: it is not there. */
export async function listFiles(session: Session, store: OpenedStore, backup: string): Promise<readonly string[]> {
  const { bucket, prefix } = store.location;
  const { folder } = backupKeys(prefix, backup);
  const keys = await store.client.listObjects({ bucket, prefix: folder }, session.call);
  // Markers of folders, as consoles leave them, hold nothing.
  return keys
    .map((key) => key.slice(folder.length))
    .filter((file) => file !== "" && !file.endsWith("/"))
    .sort();
}

/** What the store says of it; undefined where the plugin cannot tell, or the object is gone. */
export async function describeSide(
  session: Session,
  { store, object }: StoredSide,
): Promise<ObjectDescription | undefined> {
  try {
    return await describeIfPossible(session, store, object.key);
  } catch (error) {
    // Gone since it was listed: reading it says so, and says what that means.
    if (isKind(error, "not-found")) return undefined;
    throw error;
  }
}

/** Reads a side whole, through its plugin, which compares the bytes with the checksum on record. */
export async function digestSide(
  { transfer, signal }: PairRun,
  { store, object }: StoredSide,
  ...recorded: readonly (ComparableChecksum | undefined)[]
): Promise<FinishedDigest> {
  const digest = await BodyDigest.begin(...recorded);
  for await (const chunk of transfer.pass(store.client.getObject(object, { signal }))) digest.update(chunk);
  return digest.finish();
}
