import { childText, document, element, leaf, parseXml, requiredText } from "../xml.ts";
import { receiveDocument } from "./body.ts";
import type { Answer, Call, Handler } from "./call.ts";
import { findObject } from "./find-object.ts";
import { checkRetention, checkRetentionChange, parseLegalHold, requireLockBucket } from "./lock.ts";
import { versionHeader } from "./new-version.ts";
import { S3Error } from "./s3-error.ts";
import { readTagDocument, writeTagDocument } from "./tags.ts";

const xmlns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** Reading and writing tags, retention and legal hold of an object that exists. */
export const objectSettings: Readonly<Record<string, Handler>> = {
  GetObjectTagging: (call) => {
    const { bucket, meta } = findObject(call);
    return { body: writeTagDocument(meta.tags), headers: versionHeader(bucket, meta) };
  },
  PutObjectTagging: async (call) => {
    const tags = readTagDocument(await receiveDocument(call, { needsDigest: true }), "object");
    const { bucket, meta } = findObject(call);
    bucket.objects.update(meta, { tags });
    return { headers: versionHeader(bucket, meta) };
  },
  DeleteObjectTagging: (call) => {
    const { bucket, meta } = findObject(call);
    bucket.objects.update(meta, { tags: {} });
    return { status: 204, headers: versionHeader(bucket, meta) };
  },
  GetObjectRetention: (call) => {
    const { bucket, meta } = findObject(call);
    requireLockBucket(bucket);
    if (meta.retention === undefined) throw new S3Error("NoSuchObjectLockConfiguration");
    const { mode, until } = meta.retention;
    return { body: document(element("Retention", [leaf("Mode", mode), leaf("RetainUntilDate", until)], xmlns)) };
  },
  PutObjectRetention: putRetention,
  GetObjectLegalHold: (call) => {
    const { bucket, meta } = findObject(call);
    requireLockBucket(bucket);
    if (meta.legalHold === undefined) throw new S3Error("NoSuchObjectLockConfiguration");
    return { body: document(element("LegalHold", [leaf("Status", meta.legalHold ? "ON" : "OFF")], xmlns)) };
  },
  PutObjectLegalHold: async (call) => {
    const root = parseXml(await receiveDocument(call, { needsDigest: true }));
    const { bucket, meta } = findObject(call);
    requireLockBucket(bucket);
    if (root.name !== "LegalHold") throw new S3Error("MalformedXML");
    bucket.objects.update(meta, { legalHold: parseLegalHold(requiredText(root, "Status")) });
    return {};
  },
};

async function putRetention(call: Call): Promise<Answer> {
  const root = parseXml(await receiveDocument(call, { needsDigest: true }));
  const { bucket, meta } = findObject(call);
  requireLockBucket(bucket);
  const mode = childText(root, "Mode");
  const until = childText(root, "RetainUntilDate");
  if (root.name !== "Retention" || (mode === undefined) !== (until === undefined)) throw new S3Error("MalformedXML");
  const retention = mode === undefined || until === undefined ? undefined : checkRetention(mode, until, call.now);
  checkRetentionChange(call, meta.retention, retention);
  bucket.objects.update(meta, { retention });
  return {};
}
