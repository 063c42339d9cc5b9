import { isKind, PluginError } from "@flotilla/sdk/plugin";

import type { OpenedStore, Session } from "../session.ts";
import { checkStructure } from "./object-structure.ts";
import { describeIfPossible, printChecksum } from "./stored-backup.ts";
import type { StoredBackup } from "./stored-backup.ts";

/**
 * What reading an object back showed. `ok`: whole, and its recorded checksum agreed; `unverified`: whole, but the store
 * keeps no checksum to compare; `corrupt`; `missing`; `unreadable`: it could not be read for another reason.
 */
type ObjectStatus = "ok" | "unverified" | "corrupt" | "missing" | "unreadable";

/** One object's verdict. */
export interface ObjectVerdict {
  readonly key: string;
  readonly status: ObjectStatus;
  readonly bytes: number;
  readonly checksum: string;
  /** What is wrong; empty where nothing is. */
  readonly detail: string;
}

const harmless: ReadonlySet<string> = new Set<ObjectStatus>(["ok", "unverified"]);

/** Whether nothing is known to be wrong with it; snapshots have these words too. */
export function isHarmless({ status }: { readonly status: string }): boolean {
  return harmless.has(status);
}

/** The verdict on an object that a backup must have and that is not there. */
export function missingObject(key: string): ObjectVerdict {
  const detail = "a backup cannot be restored as it was without it";
  return { key, status: "missing", bytes: 0, checksum: "-", detail };
}

/** Reads every object of a backup back, one after the other, and judges each. An essential one that is absent is missing. */
export async function verifyObjects(
  session: Session,
  store: OpenedStore,
  backup: StoredBackup,
): Promise<readonly ObjectVerdict[]> {
  const verdicts: ObjectVerdict[] = [];
  for (const key of [backup.keys.metadata, backup.keys.contents])
    if (!backup.objectKeys.includes(key)) verdicts.push(missingObject(key));
  for (const key of backup.objectKeys) verdicts.push(await verifyObject(session, store, key));
  return verdicts;
}

async function verifyObject(session: Session, store: OpenedStore, key: string): Promise<ObjectVerdict> {
  const object = { bucket: store.location.bucket, key };
  let bytes = 0;
  let checksum = "-";
  const transfer = session.progress.begin(`reading ${key}`);
  const read = (): AsyncIterable<Uint8Array> => store.client.getObject(object, session.call);
  try {
    const description = await describeIfPossible(session, store, key);
    checksum = printChecksum(description);
    await checkStructure(key, transfer.pass(read())).catch(async (error: unknown) => {
      // A broken structure ends the reading early; the plugin's verdict comes with the last byte.
      for await (const chunk of read()) void chunk;
      throw error;
    });
    bytes = transfer.done(`read ${key}`);
    if (description !== undefined && description.sizeBytes !== BigInt(bytes)) {
      const detail = `the store says ${description.sizeBytes} bytes, and ${bytes} came`;
      return { key, status: "corrupt", bytes, checksum, detail };
    }
    return { key, status: description?.checksum === undefined ? "unverified" : "ok", bytes, checksum, detail: "" };
  } catch (error) {
    session.context.signal.throwIfAborted();
    const verdict = { key, status: statusOf(error), checksum, detail: PluginError.from(error).message };
    return { ...verdict, bytes: transfer.done(`read ${key}: ${verdict.status}`) };
  }
}

/** The verdict on an object that could not be read for this reason. */
export function statusOf(error: unknown): ObjectStatus {
  if (isKind(error, "corrupt")) return "corrupt";
  return isKind(error, "not-found") ? "missing" : "unreadable";
}
