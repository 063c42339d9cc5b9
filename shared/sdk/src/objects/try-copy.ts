import { randomUUID } from "node:crypto";
import { ok, PluginError } from "../plugin/index.ts";
import { checksumOf } from "./checksum.ts";
import { copySourceOf } from "./copy-source.ts";
import { nameOf } from "./object-name.ts";
import type { Call, Finding } from "../plugin/index.ts";
import type { BlobDriver } from "./blob-driver.ts";
import type { LocationRoot } from "./copy-place.ts";

/** One of the two ends of a copy: a location, or its target. */
export interface CopyEnd extends LocationRoot {
  readonly driver: BlobDriver;
}

/**
 * Has the target's store copy a small object of the location, and deletes both again. Throws what fails; `unsupported`
 * where the store cannot copy from there, so that the bytes of copies pass through the plugin.
 */
export async function tryCopy(own: CopyEnd, target: CopyEnd, call: Call): Promise<Finding> {
  const name = `metadata/flotilla-check-${randomUUID()}`;
  const [from, to] = [keyIn(own, name), keyIn(target, name)];
  const body = Buffer.from("flotilla check of copies\n");
  const { checksumAlgorithm: algorithm } = own.driver;
  await own.driver.put(from, body, algorithm === "none" ? undefined : await checksumOf(algorithm, body), call);
  try {
    await refuseOwnBucket(own, from, target, call);
    await copy(own, from, target, to, call);
  } finally {
    await Promise.all([own.driver.remove(from, call), target.driver.remove(to, call)]);
  }
  return ok("copy", `copied "${from}" from bucket "${own.bucket}"`);
}

/** A store has more than one name: what was just put in one bucket is in the other only where both are one. */
async function refuseOwnBucket(own: CopyEnd, from: string, target: CopyEnd, call: Call): Promise<void> {
  if (own.bucket !== target.bucket) return;
  const [here, there] = [await own.driver.stat(from, call), await target.driver.stat(from, call)];
  if (here === undefined || here.version !== there?.version) return;
  throw new PluginError(
    `the bucket "${target.bucket}" is the location's own bucket, by another name of its store: the copies would be lost with it; name another bucket`,
    { kind: "invalid-config" },
  );
}

async function copy(own: CopyEnd, from: string, target: CopyEnd, to: string, call: Call): Promise<void> {
  const ref = { bucket: own.bucket, key: from };
  const description = await own.driver.stat(from, call);
  if (description === undefined) throw new PluginError(`${nameOf(ref)} is gone again`, { kind: "conflict" });
  if (target.driver.copyFrom === undefined)
    throw new PluginError(`copy ${nameOf(ref)}: not offered`, { kind: "unsupported" });
  await target.driver.copyFrom(copySourceOf(own.driver, ref, description), to, call);
}

function keyIn({ prefix }: LocationRoot, name: string): string {
  return prefix === "" ? name : `${prefix}/${name}`;
}
