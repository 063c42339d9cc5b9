import { createGunzip } from "node:zlib";

import { readSlice } from "../file-slice.ts";
import type { Bucket } from "./bucket.ts";
import { readRange } from "./byte-range.ts";
import { resourceOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkConditions, xmlConditions } from "./conditions.ts";
import { checkCustomerKey, readCustomerKey } from "./encryption.ts";
import { findObject } from "./find-object.ts";
import { etagOf } from "./object-meta.ts";
import type { ObjectMeta } from "./object-meta.ts";

/** objects.get: the resource, or with `alt=media` the content. */
export function getObject(call: Call): Answer {
  const { bucket, meta } = findObject(call);
  checkConditions(call.query, meta, "read");
  const given = readCustomerKey(call.headers);
  if (call.query.get("alt") === "media") {
    checkCustomerKey(meta, given);
    return sendContent(call, bucket, meta);
  }
  if (given !== undefined) checkCustomerKey(meta, given);
  return { json: resourceOf(call, bucket, meta, given !== undefined) };
}

/** GET and HEAD of an object by the XML API. */
export function getObjectXml(call: Call): Answer {
  const { bucket, meta } = findObject(call);
  checkConditions(xmlConditions(call.headers), meta, "read");
  checkCustomerKey(meta, readCustomerKey(call.headers));
  return sendContent(call, bucket, meta);
}

function sendContent(call: Call, bucket: Bucket, meta: ObjectMeta): Answer {
  const path = bucket.objects.dataPath(meta);
  const headers = contentHeaders(call, meta);
  const whole = { path, start: 0, length: meta.size };
  if (isDecompressed(call, meta)) {
    // A range of what is not stored cannot be had: the whole is sent.
    const sent = { ...headers, "content-encoding": undefined, warning: "214 UploadServer gunzipped" };
    return { headers: sent, stream: gunzip(readSlice(whole)) };
  }
  const range = readRange(call.headers.get("range"), meta.size);
  if (range === undefined) return { headers: { ...headers, "content-length": meta.size }, file: whole };
  return {
    status: 206,
    headers: {
      ...headers,
      "content-length": range.length,
      "content-range": `bytes ${range.start}-${range.start + range.length - 1}/${meta.size}`,
    },
    file: { path, ...range },
  };
}

function contentHeaders(call: Call, meta: ObjectMeta): Record<string, string | number | undefined> {
  const hashes = [`crc32c=${meta.crc32c}`, ...(meta.md5Hash === undefined ? [] : [`md5=${meta.md5Hash}`])];
  const own = Object.entries(meta.metadata ?? {}).map(([name, value]) => [`x-goog-meta-${name.toLowerCase()}`, value]);
  return {
    "content-type": meta.contentType,
    "content-encoding": meta.contentEncoding,
    "content-language": meta.contentLanguage,
    "content-disposition": meta.contentDisposition ?? (call.isXml ? undefined : "attachment"),
    "cache-control": meta.cacheControl ?? "no-cache, no-store, max-age=0, must-revalidate",
    etag:
      call.isXml && meta.md5Hash !== undefined
        ? `"${Buffer.from(meta.md5Hash, "base64").toString("hex")}"`
        : etagOf(meta),
    "last-modified": new Date(meta.updated).toUTCString(),
    "accept-ranges": "bytes",
    "x-goog-generation": meta.versionId,
    "x-goog-metageneration": meta.metageneration,
    "x-goog-hash": hashes.join(","),
    "x-goog-storage-class": meta.storageClass,
    "x-goog-stored-content-encoding": meta.contentEncoding ?? "identity",
    "x-goog-stored-content-length": meta.size,
    "x-goog-component-count": meta.componentCount,
    "x-goog-encryption-algorithm": meta.keySha256 === undefined ? undefined : "AES256",
    "x-goog-encryption-key-sha256": meta.keySha256,
    "x-goog-encryption-kms-key-name":
      meta.kmsKeyName === undefined ? undefined : `${meta.kmsKeyName}/cryptoKeyVersions/1`,
    ...Object.fromEntries(own),
  };
}

function isDecompressed(call: Call, meta: ObjectMeta): boolean {
  if (meta.contentEncoding !== "gzip" || /\bno-transform\b/.test(meta.cacheControl ?? "")) return false;
  return !/\bgzip\b/.test(call.headers.get("accept-encoding") ?? "");
}

async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const output = createGunzip();
  const feeding = (async () => {
    for await (const chunk of chunks) {
      if (!output.write(chunk)) await new Promise((resolve) => void output.once("drain", resolve));
    }
    output.end();
  })();
  feeding.catch((error: unknown) => output.destroy(error instanceof Error ? error : undefined));
  // A stream without an encoding yields Buffers; node types them as any.
  for await (const chunk of output) yield chunk as Buffer;
  await feeding;
}
