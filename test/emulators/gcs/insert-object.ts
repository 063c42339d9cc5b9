import { join } from "node:path";

import { FileSink, fillSink } from "../file-sink.ts";
import { resourceOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { readEncryption } from "./encryption.ts";
import { invalid, required } from "./gcs-error.ts";
import { checkClaims, HashMeter, readHashHeader } from "./hashes.ts";
import { readMultipart } from "./multipart-related.ts";
import { publishObject } from "./new-object.ts";
import { beginResumable } from "./resumable.ts";
import { checkObjectName, readSettings, readStorageClass } from "./settings.ts";
import { readClaims } from "./upload-metadata.ts";

type Json = Readonly<Record<string, unknown>>;

/** objects.insert. */
export async function insertObject(call: Call): Promise<Answer> {
  call.state.bucket(call.bucketName);
  switch (call.query.get("uploadType")) {
    case "resumable":
      return await beginResumable(call);
    case "media": {
      const contentType = call.headers.get("content-type");
      const contentEncoding = call.query.get("contentEncoding");
      const resource = {
        ...(contentType === undefined ? {} : { contentType }),
        ...(contentEncoding === undefined ? {} : { contentEncoding }),
      };
      return await store(call, resource, call.openBody());
    }
    case "multipart": {
      const { resource, contentType, content } = await readMultipart(call);
      return await store(call, { ...(contentType === undefined ? {} : { contentType }), ...resource }, content);
    }
    case undefined:
      throw required("uploadType");
    default:
      throw invalid(`Invalid value for uploadType: ${call.query.get("uploadType") ?? ""}`);
  }
}

async function store(call: Call, resource: Json, content: AsyncIterable<Buffer>): Promise<Answer> {
  const inBody = typeof resource["name"] === "string" ? resource["name"] : undefined;
  const name = call.query.get("name") ?? inBody ?? "";
  checkObjectName(name);
  const named = call.query.get("kmsKeyName") ?? resource["kmsKeyName"];
  const found = call.state.bucket(call.bucketName);
  const encryption = readEncryption(call, found, typeof named === "string" ? named : undefined);
  const settings = readSettings(resource);
  const storageClass = readStorageClass(resource["storageClass"]);
  return await call.state.withStaging(async (folder) => {
    const meter = new HashMeter();
    let size = 0;
    await fillSink(await FileSink.open(join(folder, "data")), async (sink) => {
      for await (const chunk of content) {
        size += chunk.length;
        meter.update(chunk);
        await sink.write(chunk);
      }
    });
    const hashes = meter.digest();
    checkClaims([readClaims(resource), readHashHeader(call.headers.get("x-goog-hash"))], hashes);
    // The bucket may have gone while the body arrived.
    const bucket = call.state.bucket(call.bucketName);
    const object = { ...settings, ...encryption, ...hashes, name, size, storageClass };
    const meta = publishObject(call, bucket, object, { conditions: call.query, folder });
    return { json: resourceOf(call, bucket, meta, true) };
  });
}
