import { randomUUID } from "node:crypto";
import { printChecksum } from "@flotilla/sdk/objects";
import type { Checksum } from "@flotilla/sdk/objects";
import { isKind } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { readApiAnswer } from "./answers.ts";
import { translateStorageAnswer, translateUploadAnswer } from "./errors.ts";
import { objectAttempt, writeAttempt } from "./gcs-attempts.ts";
import { isSameObject, requireKept } from "./gcs-checksums.ts";
import { describedFields } from "./gcs-description.ts";
import type { GcsSession } from "./gcs-session.ts";
import type { GcsSettings } from "./gcs-settings.ts";
import { readJson } from "./json-request.ts";
import type { ApiRequest } from "./google-api.ts";

/** What writing one object needs. */
export interface GcsTarget {
  readonly session: GcsSession;
  readonly key: string;
  readonly settings: GcsSettings;
}

/** The fields of a new object that are compared with what was sent. */
export const keptFields = "size,crc32c,generation";

/** Stores an object in one request, of which the store compares the checksum. */
export async function putWhole(
  target: GcsTarget,
  body: Uint8Array,
  checksum: Checksum | undefined,
  call: Call,
): Promise<void> {
  const { session, key } = target;
  const attempt = writeAttempt("put", session.bucket, key, target.settings.query.kmsKeyName);
  const answer = await session.api.send(multipartRequest(target, body, checksum), attempt, call);
  if (answer.status >= 200 && answer.status <= 299) {
    const metadata = await readJson(answer, attempt, translateStorageAnswer, call.signal);
    return requireKept(metadata, body.byteLength, checksum, attempt);
  }
  const refusal = translateUploadAnswer(await readApiAnswer(answer), attempt, checksum && printChecksum(checksum));
  // A put whose answer was lost is sent again, and finds its own object there, protected already.
  if (isKind(refusal, "held") && (await isStored(target, body.byteLength, checksum, call))) return;
  throw refusal;
}

/** Whether exactly these bytes are stored under the key. */
export async function isStored(
  { session, key, settings }: GcsTarget,
  sizeBytes: number,
  checksum: Checksum | undefined,
  call: Call,
): Promise<boolean> {
  const attempt = objectAttempt("look up", session.bucket, key, "storage.objects.get");
  const url = session.objectUrl(key, { fields: describedFields });
  try {
    const metadata = await session.api.json({ method: "GET", url, headers: settings.customerKey }, attempt, call);
    return isSameObject(metadata, sizeBytes, checksum);
  } catch {
    // The failure that led here is the one to report.
    return false;
  }
}

function multipartRequest(
  { session, key, settings }: GcsTarget,
  body: Uint8Array,
  checksum: Checksum | undefined,
): ApiRequest {
  const boundary = randomUUID();
  const metadata = {
    name: key,
    ...settings.metadata,
    ...(checksum === undefined ? {} : { crc32c: printChecksum(checksum) }),
  };
  const head = [
    `--${boundary}`,
    "content-type: application/json; charset=UTF-8",
    "",
    JSON.stringify(metadata),
    `--${boundary}`,
    "content-type: application/octet-stream",
    "",
    "",
  ].join("\r\n");
  return {
    method: "POST",
    url: session.uploadUrl({ uploadType: "multipart", fields: keptFields, ...settings.query }),
    headers: { "content-type": `multipart/related; boundary=${boundary}`, ...settings.customerKey },
    body: [Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--\r\n`)],
  };
}
