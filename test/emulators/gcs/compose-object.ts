import { join } from "node:path";

import { FileSink, fillSink } from "../file-sink.ts";
import { readSlice } from "../file-slice.ts";
import type { Bucket } from "./bucket.ts";
import { readJson, resourceOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkConditions } from "./conditions.ts";
import { checkCustomerKey, readCustomerKey, readEncryption } from "./encryption.ts";
import { lookUp } from "./find-object.ts";
import { invalid, noSuchObject, required } from "./gcs-error.ts";
import { checkClaims, HashMeter, readHashHeader } from "./hashes.ts";
import { publishObject } from "./new-object.ts";
import type { ObjectMeta } from "./object-meta.ts";
import { checkObjectName, readSettings, readStorageClass } from "./settings.ts";
import { readClaims } from "./upload-metadata.ts";

type Json = Readonly<Record<string, unknown>>;

const maxSources = 32;

/** objects.compose: one object of up to 32 others of the same bucket. */
export async function composeObject(call: Call): Promise<Answer> {
  const body = await readJson(call);
  const bucket = call.state.bucket(call.bucketName);
  checkObjectName(call.objectName);
  const resource = objectAt(body, "destination");
  const sources = readSources(bucket, body["sourceObjects"]);
  const customerKey = readCustomerKey(call.headers);
  for (const meta of sources) checkCustomerKey(meta, customerKey);
  const encryption = readEncryption(call, bucket, call.query.get("kmsKeyName"));
  return await call.state.withStaging(async (folder) => {
    const meter = new HashMeter();
    let size = 0;
    await fillSink(await FileSink.open(join(folder, "data")), async (sink) => {
      for (const meta of sources) {
        for await (const chunk of readSlice({ path: bucket.objects.dataPath(meta), start: 0, length: meta.size })) {
          size += chunk.length;
          meter.update(chunk);
          await sink.write(chunk);
        }
      }
    });
    // Of composed objects the service knows no MD5.
    const { crc32c, md5Hash } = meter.digest();
    checkClaims([readClaims(resource), readHashHeader(call.headers.get("x-goog-hash"))], { crc32c, md5Hash });
    const componentCount = sources.reduce((sum, meta) => sum + (meta.componentCount ?? 1), 0);
    const storageClass = readStorageClass(resource["storageClass"]);
    const content = { ...readSettings(resource), ...encryption, name: call.objectName, size, crc32c, componentCount };
    const meta = publishObject(call, bucket, { ...content, storageClass }, { conditions: call.query, folder });
    return { json: resourceOf(call, bucket, meta, true) };
  });
}

function readSources(bucket: Bucket, value: unknown): readonly ObjectMeta[] {
  if (!Array.isArray(value) || value.length === 0) throw required("sourceObjects");
  if (value.length > maxSources) {
    throw invalid(`The number of source components provided (${value.length}) exceeds the maximum (${maxSources})`);
  }
  return value.map((one: unknown) => {
    const source = typeof one === "object" && one !== null ? { ...one } : {};
    const { name, generation } = source as Json;
    if (typeof name !== "string") throw required("sourceObjects.name");
    const meta = lookUp(bucket, name, typeof generation === "string" ? generation : undefined);
    if (meta === undefined) throw noSuchObject(bucket.name, name);
    const wanted = objectAt(source, "objectPreconditions")["ifGenerationMatch"];
    if (typeof wanted === "string" || typeof wanted === "number") {
      checkConditions(new Map([["ifGenerationMatch", String(wanted)]]), meta, "write");
    }
    return meta;
  });
}

function objectAt(parent: Json, name: string): Json {
  const value = parent[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
