import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

import { accountIdOf } from "../accounts.ts";
import type { Bucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import type { Encryption } from "./object-meta.ts";
import { S3Error } from "./s3-error.ts";

const customerPrefix = "x-amz-server-side-encryption-customer-";
/** The prefix of the headers that carry the key of the source of a copy. */
export const copySourcePrefix = "x-amz-copy-source-server-side-encryption-customer-";

/** Reads how the object is to be encrypted from the headers, else from the bucket's default. */
export function readEncryption(call: Call, bucket: Bucket): Encryption {
  const { headers } = call;
  const kind = headers.get("x-amz-server-side-encryption");
  const keyId = headers.get("x-amz-server-side-encryption-aws-kms-key-id");
  const customerKey = readCustomerKey(call, customerPrefix);
  if (customerKey !== undefined) {
    if (kind !== undefined)
      throw invalid(
        "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
      );
    const salt = randomBytes(16).toString("base64");
    return {
      kind: "customer",
      keyMd5: customerKey.md5,
      salt,
      proof: proofOf(customerKey.key, salt).toString("base64"),
    };
  }
  if (kind === undefined) {
    if (keyId !== undefined)
      throw invalid("The header 'x-amz-server-side-encryption' must be specified with a KMS key id");
    return defaultEncryption(call, bucket);
  }
  if (kind === "AES256") {
    if (keyId !== undefined)
      throw invalid(
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
      );
    return { kind };
  }
  if (kind !== "aws:kms" && kind !== "aws:kms:dsse") {
    throw new S3Error("InvalidEncryptionAlgorithmError", undefined, {
      details: { ArgumentName: "x-amz-server-side-encryption", ArgumentValue: kind },
    });
  }
  const context = headers.get("x-amz-server-side-encryption-context");
  if (context !== undefined) checkContext(context);
  return {
    kind,
    keyId: resolveKmsKey(call, keyId),
    ...(context === undefined ? {} : { context }),
    ...(headers.get("x-amz-server-side-encryption-bucket-key-enabled") === "true" ? { isBucketKey: true } : {}),
  };
}

/** Returns the headers that tell how an object is encrypted. */
export function encryptionHeaders(encryption: Encryption): Record<string, string> {
  if (encryption.kind === "AES256") return { "x-amz-server-side-encryption": "AES256" };
  if (encryption.kind === "customer") {
    return { [`${customerPrefix}algorithm`]: "AES256", [`${customerPrefix}key-md5`]: encryption.keyMd5 };
  }
  return {
    "x-amz-server-side-encryption": encryption.kind,
    "x-amz-server-side-encryption-aws-kms-key-id": encryption.keyId,
    ...(encryption.isBucketKey === true ? { "x-amz-server-side-encryption-bucket-key-enabled": "true" } : {}),
  };
}

/** Refuses a read without the customer's key where one is needed, with another key, or with a key where none is. */
export function checkCustomerKey(call: Call, encryption: Encryption, prefix = customerPrefix): void {
  const given = readCustomerKey(call, prefix);
  if (encryption.kind !== "customer") {
    if (given === undefined) return;
    throw new S3Error("InvalidRequest", "The encryption parameters are not applicable to this object.");
  }
  if (given === undefined) {
    throw new S3Error(
      "InvalidRequest",
      "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    );
  }
  if (timingSafeEqual(proofOf(given.key, encryption.salt), Buffer.from(encryption.proof, "base64"))) return;
  throw new S3Error("AccessDenied", "The provided encryption parameters did not match the ones used originally.");
}

/** Tells whether the ETag is the MD5 of the content: only where S3 manages the keys. */
export function hasMd5Etag(encryption: Encryption): boolean {
  return encryption.kind === "AES256";
}

function readCustomerKey(call: Call, prefix: string): { key: Buffer; md5: string } | undefined {
  const { headers } = call;
  const algorithm = headers.get(`${prefix}algorithm`);
  const encoded = headers.get(`${prefix}key`);
  const md5 = headers.get(`${prefix}key-md5`);
  if (algorithm === undefined && encoded === undefined && md5 === undefined) return undefined;
  if (!call.isSecure && !call.state.settings.allowSseCustomerOverHttp) {
    throw new S3Error(
      "InvalidRequest",
      "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.",
    );
  }
  if (algorithm === undefined)
    throw invalid(
      "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
    );
  if (algorithm !== "AES256") {
    throw new S3Error("InvalidEncryptionAlgorithmError", undefined, {
      details: { ArgumentName: `${prefix}algorithm`, ArgumentValue: algorithm },
    });
  }
  if (encoded === undefined)
    throw invalid(
      "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
    );
  if (md5 === undefined)
    throw invalid(
      "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.",
    );
  const key = Buffer.from(encoded, "base64");
  if (key.length !== 32 || key.toString("base64") !== encoded)
    throw invalid("The secret key was invalid for the specified algorithm.");
  if (createHash("md5").update(key).digest("base64") !== md5)
    throw invalid("The calculated MD5 hash of the key did not match the hash that was provided.");
  return { key, md5 };
}

function proofOf(key: Buffer, salt: string): Buffer {
  return createHmac("sha256", Buffer.from(salt, "base64")).update(key).digest();
}

function defaultEncryption(call: Call, bucket: Bucket): Encryption {
  const setting = bucket.config.encryption;
  if (setting?.algorithm === "aws:kms" || setting?.algorithm === "aws:kms:dsse") {
    return { kind: setting.algorithm, keyId: resolveKmsKey(call, setting.keyId) };
  }
  return { kind: "AES256" };
}

function resolveKmsKey(call: Call, keyId: string | undefined): string {
  const { kms } = call.state.settings;
  const region = call.claim.region;
  const prefix = `arn:aws:kms:${region}:${accountIdOf(call.account)}:`;
  // The key that AWS manages for S3 in this account.
  if (keyId === undefined || keyId === "") return `${prefix}key/00000000-0000-4000-8000-000000000053`;
  if (kms.missing?.includes(keyId) === true || isOtherRegion(keyId, region)) {
    throw new S3Error("KMS.NotFoundException", `Key '${keyId}' does not exist`);
  }
  if (kms.denied?.includes(keyId) === true) {
    throw new S3Error("AccessDenied", `User is not authorized to perform: kms:GenerateDataKey on resource: ${keyId}`);
  }
  if (keyId.startsWith("arn:")) return keyId;
  return keyId.startsWith("alias/") ? prefix + keyId : `${prefix}key/${keyId}`;
}

function isOtherRegion(keyId: string, region: string): boolean {
  return keyId.startsWith("arn:") && keyId.split(":")[3] !== region;
}

function checkContext(context: string): void {
  try {
    JSON.parse(Buffer.from(context, "base64").toString("utf8"));
  } catch {
    throw invalid(
      "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map",
    );
  }
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidArgument", message);
}
