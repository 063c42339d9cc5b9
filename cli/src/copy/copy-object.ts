import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { ObjectDescription } from "@flotilla/sdk/plugin";

import { printChecksum } from "../commands/stored-backup.ts";
import { formatBytes } from "../output/units.ts";
import type { FinishedDigest } from "./body-digest.ts";
import { describeSide, digestSide, sideOf } from "./paired-object.ts";
import type { PairRun, StoredSide } from "./paired-object.ts";
import { faultOf, SourceCheck } from "./source-check.ts";

/** An object that is at the target, as it came to be there. */
export interface CopiedObject {
  readonly file: string;
  /** `copied`: was not there; `replaced`: was there with other bytes; `present`: was there already. */
  readonly result: "copied" | "replaced" | "present";
  readonly bytes: number;
  /** Of what was read at the source and read back at the target; empty where nothing was copied. */
  readonly sha256: string;
  readonly crc32: string;
  /** As the stores recorded them. */
  readonly fromChecksum: string;
  readonly toChecksum: string;
  /** By what it is known to be the same. */
  readonly evidence: string;
}

/** What of an object to copy, and how. */
export interface CopyOrder {
  readonly backup: string;
  readonly file: string;
  readonly isReplacement: boolean;
  /** Bytes at hand instead of the source's. */
  readonly bytes?: Uint8Array;
}

/**
 * Streams an object from one location to the other at the speed of the slower, and reads it back. It is done only once
 * the bytes that came back are those that were sent; a copy that is not is removed.
 */
export async function copyObject(run: PairRun, order: CopyOrder): Promise<CopiedObject> {
  const { session, stores, signal } = run;
  const [from, to] = [sideOf(stores.from, order.backup, order.file), sideOf(stores.to, order.backup, order.file)];
  const described = await describeSide(session, from);
  const call = { signal };
  const source = order.bytes === undefined ? from.store.client.getObject(from.object, call) : once(order.bytes);
  const check = await SourceCheck.begin(from, described);
  await to.store.client.putObject(to.object, check.pass(run.transfer.pass(source)), call);
  const finished = check.finished ?? refuseEarlyAnswer(to);
  const kept = await verifyCopy(run, to, finished);
  session.progress.note(
    `${order.backup}: ${order.isReplacement ? "replaced" : "copied"} ${order.file}  ${formatBytes(finished.sizeBytes)}`,
  );
  return {
    file: order.file,
    result: order.isReplacement ? "replaced" : "copied",
    bytes: finished.sizeBytes,
    sha256: finished.sha256,
    crc32: finished.crc32,
    fromChecksum: printChecksum(described),
    toChecksum: printChecksum(kept),
    evidence: check.isUnpacked ? "unpacked, read back" : "read back",
  };
}

function refuseEarlyAnswer({ object }: StoredSide): never {
  throw new PluginError(
    `put object "${object.key}" in bucket "${object.bucket}": its plugin called it done before its end`,
    {
      kind: "corrupt",
    },
  );
}

/** Compares what the target says of the copy, and what it gives back, with what was sent. */
async function verifyCopy(
  run: PairRun,
  side: StoredSide,
  sent: FinishedDigest,
): Promise<ObjectDescription | undefined> {
  const itself: StoredSide = { store: run.stores.toItself, object: side.object };
  const description = await describeSide(run.session, itself);
  const fault = faultOf(sent, description) ?? (await readBackFault(run, itself, sent));
  if (fault === undefined) return description;
  const { store, object } = side;
  const outcome = await store.client.deleteObject(object, run.session.call).then(
    () => "the copy was removed again",
    (error: unknown) => `and the copy could not be removed (${PluginError.from(error).message}): do that by hand`,
  );
  throw new PluginError(
    `verify the copy "${object.key}" in bucket "${object.bucket}": ${fault}; ${outcome}; try again, and if that repeats, do not trust this store`,
    { kind: "corrupt" },
  );
}

async function readBackFault(run: PairRun, side: StoredSide, sent: FinishedDigest): Promise<string | undefined> {
  try {
    const read = await digestSide(run, side);
    if (read.isSame(sent)) return undefined;
    return `${sent.sizeBytes} bytes with sha256 ${sent.sha256} were sent, ${read.sizeBytes} with ${read.sha256} came back`;
  } catch (error) {
    if (isKind(error, "corrupt")) return error.message;
    throw error;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
