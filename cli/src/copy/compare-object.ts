import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { ObjectDescription } from "@flotilla/sdk/plugin";

import { comparableChecksum } from "./body-digest.ts";
import type { ComparableChecksum } from "./body-digest.ts";
import { describeSide, digestSide, sideOf } from "./paired-object.ts";
import type { PairRun, StoredSide } from "./paired-object.ts";

/**
 * How an object of two locations compares. `same`; `missing` at --to; `extra`: at --to only; `other-size`;
 * `other-checksum`: the same size, other bytes; `unverifiable`: the same size, and nothing more could be compared without
 * reading; `corrupt`: a side is not what its store recorded; `unreadable`: a side could not be read for another reason.
 */
type ObjectStanding =
  | "same"
  | "missing"
  | "extra"
  | "other-size"
  | "other-checksum"
  | "unverifiable"
  | "corrupt"
  | "unreadable";

/**
 * Whether bytes are read: `never`; where the recorded checksums cannot be compared (`needed`), as those of two clouds
 * hardly ever can; at --to in any case (`there`), which also finds what has rotted there under its checksum; or on both
 * sides (`always`).
 */
export type Reading = "never" | "needed" | "there" | "always";

/** One object, compared. */
export interface ComparedObject {
  readonly file: string;
  readonly standing: ObjectStanding;
  /** By what it was judged: `recorded crc32`, `read, against the recorded md5`, `read on both sides`. */
  readonly evidence: string;
  readonly detail: string;
  /** Undefined where unknown. */
  readonly fromBytes: number | undefined;
  readonly toBytes: number | undefined;
}

interface Sides {
  readonly from: StoredSide;
  readonly to: StoredSide;
}

type Verdict = Pick<ComparedObject, "standing" | "evidence" | "detail"> & {
  readonly fromBytes?: number;
  readonly toBytes?: number;
};

/** Compares an object that is listed in both locations. A fault of one side is a verdict, not an error. */
export async function compareObject(
  run: PairRun,
  backup: string,
  file: string,
  reading: Reading,
): Promise<ComparedObject> {
  const { session, stores } = run;
  const sides = { from: sideOf(stores.from, backup, file), to: sideOf(stores.toItself, backup, file) };
  try {
    const descriptions = {
      from: await describeSide(session, sides.from),
      to: await describeSide(session, sides.to),
    };
    const sizes = { fromBytes: sizeOf(descriptions.from), toBytes: sizeOf(descriptions.to) };
    const verdict = await judge(run, sides, descriptions, reading);
    return { file, ...sizes, ...verdict };
  } catch (error) {
    session.context.signal.throwIfAborted();
    const standing = isKind(error, "corrupt") ? "corrupt" : isKind(error, "not-found") ? "missing" : "unreadable";
    const detail = PluginError.from(error).message;
    return { file, standing, evidence: "", detail, fromBytes: undefined, toBytes: undefined };
  }
}

async function judge(
  run: PairRun,
  sides: Sides,
  descriptions: { readonly from: ObjectDescription | undefined; readonly to: ObjectDescription | undefined },
  reading: Reading,
): Promise<Verdict> {
  const { from, to } = descriptions;
  if (from !== undefined && to !== undefined && from.sizeBytes !== to.sizeBytes) {
    return { standing: "other-size", evidence: "size", detail: `${from.sizeBytes} bytes here, ${to.sizeBytes} there` };
  }
  if (reading === "never" || reading === "needed") {
    const verdict = byRecords(from, to);
    if (verdict !== undefined) return verdict;
  }
  if (reading === "never") {
    const detail = `the same size; its checksums (${printKind(from)}, ${printKind(to)}) cannot be compared without reading it`;
    return { standing: "unverifiable", evidence: "size", detail };
  }
  const records = { from: comparableChecksum(from), to: comparableChecksum(to) };
  if (reading !== "always") {
    // One side's bytes against what the other's store recorded: half of the reading, and as good.
    if (records.from !== undefined) return await byReading(run, sides.to, records.from, "there", "here");
    if (records.to !== undefined && reading === "needed")
      return await byReading(run, sides.from, records.to, "here", "there");
  }
  return await byReadingBoth(run, sides);
}

/** By what the stores recorded; undefined where they used different kinds. */
function byRecords(from: ObjectDescription | undefined, to: ObjectDescription | undefined): Verdict | undefined {
  const [a, b] = [comparableChecksum(from), comparableChecksum(to)];
  if (a !== undefined && b !== undefined && a.algorithm === b.algorithm) {
    const isSame = Buffer.compare(a.bytes, b.bytes) === 0;
    const detail = isSame ? "" : `the recorded ${a.algorithm} differs`;
    return { standing: isSame ? "same" : "other-checksum", evidence: `recorded ${a.algorithm}`, detail };
  }
  // Over the parts: equal ones are proof, different ones may come from other part sizes.
  const [c, d] = [from?.checksum, to?.checksum];
  if (c?.scope !== "composite" || d?.scope !== "composite") return undefined;
  if (c.algorithm !== d.algorithm || c.value !== d.value) return undefined;
  return { standing: "same", evidence: `recorded ${c.algorithm} (of parts)`, detail: "" };
}

async function byReading(
  run: PairRun,
  side: StoredSide,
  recorded: ComparableChecksum,
  read: string,
  other: string,
): Promise<Verdict> {
  const digest = await digestSide(run, side, recorded);
  const evidence = `read, against the recorded ${recorded.algorithm}`;
  if (digest.agreesWith(recorded) === true) return { standing: "same", evidence, detail: "" };
  return {
    standing: "other-checksum",
    evidence,
    detail: `the ${digest.sizeBytes} bytes read ${read} have another ${recorded.algorithm} than is recorded ${other}`,
  };
}

async function byReadingBoth(run: PairRun, sides: Sides): Promise<Verdict> {
  const from = await digestSide(run, sides.from);
  const to = await digestSide(run, sides.to);
  const sizes = { evidence: "read on both sides", fromBytes: from.sizeBytes, toBytes: to.sizeBytes };
  if (from.isSame(to)) return { standing: "same", detail: "", ...sizes };
  if (from.sizeBytes !== to.sizeBytes) {
    return { standing: "other-size", detail: `${from.sizeBytes} bytes here, ${to.sizeBytes} there`, ...sizes };
  }
  return { standing: "other-checksum", detail: `sha256 ${from.sha256} here, ${to.sha256} there`, ...sizes };
}

function sizeOf(description: ObjectDescription | undefined): number | undefined {
  return description === undefined ? undefined : Number(description.sizeBytes);
}

function printKind(description: ObjectDescription | undefined): string {
  const checksum = description?.checksum;
  if (checksum === undefined) return "none";
  return checksum.scope === "composite" ? `${checksum.algorithm} of parts` : checksum.algorithm;
}
