import { randomUUID } from "node:crypto";
import { checksumOf } from "@flotilla/sdk/objects";
import { advice, failure, isKind, ok, PluginError } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import type { AzureBlobDriver } from "./azure-blob-driver.ts";

/** A container with the prefix of its objects. */
export interface CheckedContainer {
  readonly bucket: string;
  readonly prefix: string;
  readonly driver: AzureBlobDriver;
}

/** Has the target's store copy a small object of the location, and deletes both again. */
export async function checkCopy(own: CheckedContainer, target: CheckedContainer, call: Call): Promise<Finding> {
  const name = `metadata/flotilla-check-${randomUUID()}`;
  const keyIn = ({ prefix }: CheckedContainer): string => (prefix === "" ? name : `${prefix}/${name}`);
  const [from, to] = [keyIn(own), keyIn(target)];
  const body = Buffer.from("flotilla check of copies\n");
  try {
    await own.driver.put(from, body, await checksumOf("md5", body), call);
    try {
      await copy(own, from, target, to, call);
    } finally {
      await Promise.all([own.driver.remove(from, call), target.driver.remove(to, call)]);
    }
  } catch (error) {
    if (!isKind(error, "unsupported")) return failure("copy", error);
    const { detail, remedy } = failure("copy", error);
    return advice("copy", `the bytes of copies pass through the plugin: ${detail}`, remedy);
  }
  return ok("copy", `copied "${from}" from bucket "${own.bucket}"`);
}

async function copy(
  own: CheckedContainer,
  from: string,
  target: CheckedContainer,
  to: string,
  call: Call,
): Promise<void> {
  const description = await own.driver.stat(from, call);
  if (description === undefined)
    throw new PluginError(`object "${from}" in bucket "${own.bucket}" is gone again`, { kind: "conflict" });
  const { sizeBytes, checksum, readVersion: version = "" } = description;
  const sign = async (): Promise<string> => await own.driver.sign(from, 60, call);
  const source = { bucket: own.bucket, key: from, sizeBytes: Number(sizeBytes), version, checksum, sign };
  await target.driver.copyFrom(source, to, call);
}
