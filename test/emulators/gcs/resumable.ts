import { existsSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { readJson, resourceOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { readContentRange } from "./content-range.ts";
import type { ContentRange } from "./content-range.ts";
import { readCustomerKey, readEncryption } from "./encryption.ts";
import { GcsError, invalid, noSuchObject } from "./gcs-error.ts";
import { checkClaims, readHashHeader } from "./hashes.ts";
import { publishObject } from "./new-object.ts";
import { checkObjectName, readSettings, readStorageClass } from "./settings.ts";
import { conditionNames, readClaims } from "./upload-metadata.ts";
import { quantum } from "./upload-session.ts";
import type { UploadSession } from "./upload-session.ts";

/** objects.insert, the first request of a resumable upload. */
export async function beginResumable(call: Call): Promise<Answer> {
  const bucket = call.state.bucket(call.bucketName);
  const resource = await readJson(call);
  const inBody = typeof resource["name"] === "string" ? resource["name"] : undefined;
  const name = call.query.get("name") ?? inBody ?? "";
  checkObjectName(name);
  const { headers, query } = call;
  const contentType = headers.get("x-upload-content-type");
  const named = query.get("kmsKeyName") ?? resource["kmsKeyName"];
  const storageClass = readStorageClass(resource["storageClass"]);
  const announced = headers.get("x-upload-content-length");
  const session = call.state.sessions.begin({
    bucket: bucket.name,
    name,
    settings: { ...(contentType === undefined ? {} : { contentType }), ...readSettings(resource) },
    encryption: readEncryption(call, bucket, typeof named === "string" ? named : undefined),
    ...(storageClass === undefined ? {} : { storageClass }),
    claims: readClaims(resource),
    conditions: Object.fromEntries([...query].filter(([key]) => conditionNames.has(key))),
    ...(announced === undefined ? {} : { announcedSize: Number(announced) }),
    startedMs: call.now.getTime(),
    member: call.member,
  });
  const { id } = session.record;
  const base = `${call.origin}/upload/storage/v1/b/${encodeURIComponent(bucket.name)}/o`;
  return {
    headers: {
      location: `${base}?uploadType=resumable&name=${encodeURIComponent(name)}&upload_id=${id}`,
      "x-guploader-uploadid": id,
      "content-length": 0,
    },
  };
}

/** A further request of a resumable upload: bytes, or the question how many have been kept. */
export async function continueResumable(call: Call): Promise<Answer> {
  const session = findSession(call);
  const { record } = session;
  if (record.state === "done") return answerDone(call, session);
  if (record.encryption.keySha256 !== readCustomerKey(call.headers)) {
    // The key must come with the bytes; a question for the state needs none.
    if (call.headers.get("content-length") !== "0") throw invalid("The encryption key is not that of the upload.");
  }
  const range = readContentRange(call.headers.get("content-range"));
  await receive(call, session, range);
  if (!isComplete(session, range)) return answerIncomplete(call, session);
  return await finish(call, session);
}

/** Ends a resumable upload without an object. */
export async function cancelResumable(call: Call): Promise<Answer> {
  const session = findSession(call);
  if (session.record.state === "open") await call.state.sessions.end(session, "cancelled");
  return { status: 499, headers: { "content-length": 0 } };
}

function findSession(call: Call): UploadSession {
  const session = call.state.sessions.find(call.query.get("upload_id") ?? "");
  if (session === undefined || session.record.bucket !== call.bucketName) {
    throw new GcsError(404, "notFound", "No such upload session.");
  }
  const { state, startedMs } = session.record;
  const hasExpired = call.now.getTime() >= startedMs + call.settings.sessionLifetimeMs;
  if (state === "cancelled" || state === "failed" || (hasExpired && state === "open")) {
    throw new GcsError(410, "gone", "The upload session is no longer available. Please start a new one.");
  }
  return session;
}

async function receive(call: Call, session: UploadSession, range: ContentRange): Promise<void> {
  const { announcedSize } = session.record;
  if (range.total !== undefined && announcedSize !== undefined && announcedSize !== range.total) {
    throw invalid(`Invalid request. The upload was announced with ${announcedSize} bytes, not with ${range.total}.`);
  }
  if (range.start > session.size) {
    throw new GcsError(
      503,
      "backendError",
      `Invalid request. According to the Content-Range header, the upload offset is ${range.start} byte(s), which exceeds already uploaded size of ${session.size} byte(s).`,
    );
  }
  const length = range.end === undefined ? undefined : range.end - range.start + 1;
  if (range.isQuestion) return;
  if (length !== undefined && range.total === undefined && length < quantum) {
    throw new GcsError(
      400,
      "badRequest",
      `Invalid request.  The number of bytes uploaded is required to be equal or greater than ${quantum}, except for the final request (it's recommended to be the exact multiple of ${quantum}).  The received request contained ${length} bytes, which does not meet this requirement.`,
    );
  }
  const skip = session.size - range.start;
  await session.append(skipBytes(call.openBody(), skip), (received) => {
    const sent = received + skip;
    if (length !== undefined && sent !== length) {
      throw invalid(`Invalid request. The Content-Range header names ${length} bytes, but ${sent} have been received.`);
    }
    return isFinal(range, range.start + sent);
  });
}

/** Tells whether a request that has brought the object up to some size ends it. */
function isFinal(range: ContentRange, size: number): boolean {
  if (range.total !== undefined) return size === range.total;
  // Without an end the request is the last one: "bytes 0-*/*", or no Content-Range at all.
  return range.end === undefined;
}

function isComplete(session: UploadSession, range: ContentRange): boolean {
  if (range.total !== undefined && session.size > range.total) {
    throw invalid(`Invalid request. ${session.size} bytes have been kept of an object of ${range.total} bytes.`);
  }
  if (range.isQuestion) return range.total !== undefined && session.size === range.total;
  return isFinal(range, session.size);
}

async function finish(call: Call, session: UploadSession): Promise<Answer> {
  const { record } = session;
  const { sessions } = call.state;
  const bucket = call.state.bucket(record.bucket);
  try {
    const hashes = await session.hashes();
    checkClaims([record.claims, readHashHeader(call.headers.get("x-goog-hash"))], hashes);
    return await call.state.withStaging(async (folder) => {
      const data = join(folder, "data");
      if (existsSync(session.dataPath)) await rename(session.dataPath, data);
      else await writeFile(data, "");
      const { name, settings, encryption, storageClass } = record;
      const content = { ...settings, ...encryption, ...hashes, name, size: session.size, storageClass };
      const conditions = new Map(Object.entries(record.conditions));
      const meta = publishObject(call, bucket, content, { conditions, folder });
      await sessions.end(session, "done", meta.versionId);
      return { json: resourceOf(call, bucket, meta, true) };
    });
  } catch (error) {
    await sessions.end(session, "failed");
    throw error;
  }
}

function answerDone(call: Call, session: UploadSession): Answer {
  const { bucket: bucketName, name, generation = "" } = session.record;
  const bucket = call.state.bucket(bucketName);
  const meta = bucket.generation(name, generation);
  if (meta === undefined) throw noSuchObject(bucketName, name);
  return { json: resourceOf(call, bucket, meta, true) };
}

function answerIncomplete(call: Call, session: UploadSession): Answer {
  const headers = {
    range: session.size === 0 ? undefined : `bytes=0-${session.size - 1}`,
    "x-guploader-uploadid": session.record.id,
    "content-length": 0,
  };
  // Go's library asks for this, as to its HTTP client a 308 is a redirect.
  if (call.headers.get("x-guploader-no-308") !== "yes") return { status: 308, headers };
  return { status: 200, headers: { ...headers, "x-http-status-code-override": "308" } };
}

async function* skipBytes(chunks: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of chunks) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
