import { childrenNamed, childText, document, element, leaf, parseXml } from "../xml.ts";
import { receiveDocument } from "./body.ts";
import type { BucketConfig } from "./bucket.ts";
import { bucketOf } from "./call.ts";
import type { Answer, Call, Handler } from "./call.ts";
import { S3Error } from "./s3-error.ts";
import type { S3ErrorCode } from "./s3-error.ts";
import { readTagDocument, writeTagDocument } from "./tags.ts";

const xmlns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** Reading, writing and removing the settings of a bucket. */
export const bucketSettings: Readonly<Record<string, Handler>> = {
  GetBucketVersioning: (call) => {
    const status = leaf("Status", bucketOf(call).config.versioning);
    return { body: document(element("VersioningConfiguration", [status], xmlns)) };
  },
  PutBucketVersioning: putVersioning,
  GetObjectLockConfiguration: getLock,
  PutObjectLockConfiguration: putLock,
  GetBucketTagging: (call) => ({ body: writeTagDocument(present(bucketOf(call).config.tags, "NoSuchTagSet")) }),
  PutBucketTagging: async (call) => {
    const tags = readTagDocument(await receiveDocument(call, { needsDigest: true }), "bucket");
    return configure(call, { tags });
  },
  DeleteBucketTagging: (call) => configure(call, { tags: undefined }),
  GetBucketLifecycleConfiguration: (call) => ({
    body: present(bucketOf(call).config.lifecycle, "NoSuchLifecycleConfiguration"),
  }),
  PutBucketLifecycleConfiguration: async (call) => {
    const source = await receiveDocument(call, { needsDigest: true });
    const root = parseXml(source);
    if (root.name !== "LifecycleConfiguration" || childrenNamed(root, "Rule").length === 0)
      throw new S3Error("MalformedXML");
    return { ...configure(call, { lifecycle: source }), status: 200 };
  },
  DeleteBucketLifecycle: (call) => configure(call, { lifecycle: undefined }),
  GetBucketPolicy: (call) => ({
    body: present(bucketOf(call).config.policy, "NoSuchBucketPolicy"),
    headers: { "content-type": "application/json" },
  }),
  PutBucketPolicy: async (call) => configure(call, { policy: await receiveDocument(call) }),
  DeleteBucketPolicy: (call) => configure(call, { policy: undefined }),
  GetBucketEncryption: getEncryption,
  PutBucketEncryption: putEncryption,
  DeleteBucketEncryption: (call) => configure(call, { encryption: undefined }),
};

function configure(call: Call, changes: { readonly [K in keyof BucketConfig]?: BucketConfig[K] | undefined }): Answer {
  bucketOf(call).configure(changes);
  return { status: call.method === "DELETE" || "policy" in changes || "tags" in changes ? 204 : 200 };
}

function present<T>(value: T | undefined, code: S3ErrorCode): T {
  if (value === undefined) throw new S3Error(code);
  return value;
}

async function putVersioning(call: Call): Promise<Answer> {
  const status = childText(parseXml(await receiveDocument(call)), "Status");
  if (status !== "Enabled" && status !== "Suspended") throw new S3Error("MalformedXML");
  if (status === "Suspended" && bucketOf(call).config.objectLock !== undefined) {
    throw new S3Error(
      "InvalidBucketState",
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
    );
  }
  return configure(call, { versioning: status });
}

function getLock(call: Call): Answer {
  const lock = present(bucketOf(call).config.objectLock, "ObjectLockConfigurationNotFoundError");
  const retention = [leaf("Mode", lock.defaultMode), leaf("Days", lock.days), leaf("Years", lock.years)];
  const rule = element("Rule", [element("DefaultRetention", retention)]);
  const children = [leaf("ObjectLockEnabled", "Enabled"), ...(lock.defaultMode === undefined ? [] : [rule])];
  return { body: document(element("ObjectLockConfiguration", children, xmlns)) };
}

async function putLock(call: Call): Promise<Answer> {
  const root = parseXml(await receiveDocument(call, { needsDigest: true }));
  if (bucketOf(call).config.versioning !== "Enabled") {
    throw new S3Error(
      "InvalidBucketState",
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
  }
  if (childText(root, "ObjectLockEnabled") !== "Enabled") throw new S3Error("MalformedXML");
  const retention = childrenNamed(root, "Rule").flatMap((rule) => childrenNamed(rule, "DefaultRetention"))[0];
  if (retention === undefined) return configure(call, { objectLock: {} });
  const mode = childText(retention, "Mode");
  const days = childText(retention, "Days");
  const years = childText(retention, "Years");
  if ((mode !== "GOVERNANCE" && mode !== "COMPLIANCE") || (days === undefined) === (years === undefined)) {
    throw new S3Error("MalformedXML");
  }
  const period = days === undefined ? { years: Number(years) } : { days: Number(days) };
  if (!Object.values(period).every((length) => Number.isInteger(length) && length > 0)) {
    throw new S3Error("InvalidArgument", "Default retention period must be a positive integer value");
  }
  return configure(call, { objectLock: { defaultMode: mode, ...period } });
}

function getEncryption(call: Call): Answer {
  const { algorithm, keyId } = bucketOf(call).config.encryption ?? { algorithm: "AES256" };
  const setting = element("ApplyServerSideEncryptionByDefault", [
    leaf("SSEAlgorithm", algorithm),
    leaf("KMSMasterKeyID", keyId),
  ]);
  const rule = element("Rule", [setting, leaf("BucketKeyEnabled", false)]);
  return { body: document(element("ServerSideEncryptionConfiguration", [rule], xmlns)) };
}

async function putEncryption(call: Call): Promise<Answer> {
  const root = parseXml(await receiveDocument(call, { needsDigest: true }));
  const setting = childrenNamed(root, "Rule").flatMap((rule) =>
    childrenNamed(rule, "ApplyServerSideEncryptionByDefault"),
  )[0];
  const algorithm = setting === undefined ? undefined : childText(setting, "SSEAlgorithm");
  if (setting === undefined || algorithm === undefined) throw new S3Error("MalformedXML");
  const keyId = childText(setting, "KMSMasterKeyID");
  return configure(call, { encryption: { algorithm, ...(keyId === undefined ? {} : { keyId }) } });
}
