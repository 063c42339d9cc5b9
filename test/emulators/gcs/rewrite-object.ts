import { randomBytes } from "node:crypto";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { findFault } from "../faults.ts";
import type { Bucket } from "./bucket.ts";
import { readJson, resourceOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkConditions } from "./conditions.ts";
import { checkCustomerKey, readCustomerKey, readEncryption } from "./encryption.ts";
import { findObject } from "./find-object.ts";
import { invalid } from "./gcs-error.ts";
import { HashMeter } from "./hashes.ts";
import type { Hashes } from "./hashes.ts";
import { publishObject } from "./new-object.ts";
import { settingsOf } from "./object-meta.ts";
import type { ObjectEncryption, ObjectMeta, ObjectSettings } from "./object-meta.ts";
import type { Rewrite } from "./rewrite-token.ts";
import { checkObjectName, mergeSettings, readStorageClass } from "./settings.ts";

const mib = 1024 ** 2;

interface Plan {
  readonly source: Bucket;
  readonly meta: ObjectMeta;
  readonly target: Bucket;
  readonly name: string;
  readonly settings: ObjectSettings;
  readonly encryption: ObjectEncryption;
  readonly storageClass: string;
}

/** objects.rewrite: a copy on the server, in several requests where data must really be moved. */
export async function rewriteObject(call: Call): Promise<Answer> {
  const plan = await readPlan(call);
  const { size } = plan.meta;
  const rewrite = continueRewrite(call, plan);
  rewrite.bytesRewritten = Math.min(size, rewrite.bytesRewritten + bytesPerCall(call, plan));
  const progress = {
    kind: "storage#rewriteResponse",
    totalBytesRewritten: String(rewrite.bytesRewritten),
    objectSize: String(size),
  };
  if (rewrite.bytesRewritten < size) {
    const rewriteToken = randomBytes(24).toString("base64url");
    call.state.rewrites.set(rewriteToken, rewrite);
    return { json: { ...progress, done: false, rewriteToken } };
  }
  return { json: { ...progress, done: true, resource: await copy(call, plan) } };
}

/** objects.copy: a rewrite that must be done in one request. */
export async function copyObject(call: Call): Promise<Answer> {
  const plan = await readPlan(call);
  if (bytesPerCall(call, plan) < plan.meta.size) {
    throw invalid(
      "Copy spanning locations and/or storage classes could not complete within 30 seconds. Please use the Rewrite method.",
    );
  }
  return { json: await copy(call, plan) };
}

async function readPlan(call: Call): Promise<Plan> {
  const resource = await readJson(call);
  const token = call.query.get("rewriteToken");
  const known = token === undefined ? undefined : call.state.rewrites.get(token);
  const { bucket: source, meta } = findObject(call, known?.generation ?? call.query.get("sourceGeneration"));
  checkConditions(call.query, meta, "read", "ifSource");
  checkCustomerKey(meta, readCustomerKey(call.headers, "copy-source-encryption"));
  const { bucket: targetName = "", object: name = "" } = call.destination ?? {};
  checkObjectName(name);
  const target = call.state.bucket(targetName);
  call.permit("storage.objects.create", targetName);
  const named = call.query.get("destinationKmsKeyName");
  // A body of the destination replaces the settings of the source, none of them stays.
  const settings = Object.keys(resource).length === 0 ? settingsOf(meta) : mergeSettings({}, resource);
  return {
    source,
    meta,
    target,
    name,
    settings: { ...settings, temporaryHold: false, eventBasedHold: false, ...readHolds(settings, resource) },
    encryption: readEncryption(call, target, named),
    storageClass: readStorageClass(resource["storageClass"]) ?? target.config.storageClass,
  };
}

function readHolds(settings: ObjectSettings, resource: Readonly<Record<string, unknown>>): ObjectSettings {
  return {
    ...("temporaryHold" in resource ? { temporaryHold: settings.temporaryHold === true } : {}),
    ...("eventBasedHold" in resource ? { eventBasedHold: settings.eventBasedHold === true } : {}),
  };
}

function continueRewrite(call: Call, plan: Plan): Rewrite {
  const fingerprint = JSON.stringify([
    plan.source.name,
    plan.meta.key,
    plan.target.name,
    plan.name,
    plan.storageClass,
    plan.encryption,
  ]);
  const token = call.query.get("rewriteToken");
  if (token === undefined || token === "") return { generation: plan.meta.versionId, fingerprint, bytesRewritten: 0 };
  const known = call.state.rewrites.get(token);
  if (known === undefined || known.fingerprint !== fingerprint) throw invalid("Invalid rewrite token.");
  call.state.rewrites.delete(token);
  return { ...known };
}

/** Where nothing but the name changes, no data are moved and one request is enough. */
function bytesPerCall(call: Call, plan: Plan): number {
  const { source, target, meta, encryption } = plan;
  const isSame =
    source.config.location === target.config.location &&
    meta.storageClass === plan.storageClass &&
    meta.kmsKeyName === encryption.kmsKeyName &&
    meta.keySha256 === encryption.keySha256;
  if (isSame) return Infinity;
  const text = call.query.get("maxBytesRewrittenPerCall");
  if (text === undefined) return call.settings.rewriteBytes;
  const wanted = Number(text);
  if (!/^\d+$/.test(text) || wanted === 0 || wanted % mib !== 0) {
    throw invalid("maxBytesRewrittenPerCall must be a positive multiple of 1 MiB.");
  }
  return wanted;
}

async function copy(call: Call, plan: Plan): Promise<Readonly<Record<string, unknown>>> {
  const { source, target, meta, name, settings, encryption, storageClass } = plan;
  return await call.state.withStaging(async (folder) => {
    await copyFile(source.objects.dataPath(meta), join(folder, "data"));
    const { size, crc32c, md5Hash, componentCount } = { ...meta, ...(await corrupted(call, join(folder, "data"))) };
    const content = {
      ...settings,
      ...encryption,
      name,
      size,
      crc32c,
      storageClass,
      ...(md5Hash === undefined ? {} : { md5Hash }),
      ...(componentCount === undefined ? {} : { componentCount }),
    };
    const made = publishObject(call, target, content, { conditions: call.query, folder });
    return resourceOf(call, target, made, true);
  });
}

/** Changes a byte of the copy where that was asked for; answers the hashes of what is stored then. */
async function corrupted(call: Call, path: string): Promise<Hashes | undefined> {
  const corrupt = findFault(call.met, "corrupt-copy");
  if (corrupt === undefined) return undefined;
  const bytes = await readFile(path);
  if (bytes.length > 0) {
    const at = corrupt.atByte % bytes.length;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  }
  await writeFile(path, bytes);
  const meter = new HashMeter();
  meter.update(bytes);
  return meter.digest();
}
