import { open } from "node:fs/promises";
import type { ServerSideEncryption } from "@aws-sdk/client-s3";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import type { ObjectStoreConfig } from "./config.ts";
import { readKubernetesSecret } from "./kubernetes-secret.ts";

/** The customer's key of SSE-C, as the SDK's requests take it. */
interface CustomerKeyFields {
  readonly SSECustomerAlgorithm?: "AES256";
  /** Base64; the SDK adds its MD5. */
  readonly SSECustomerKey?: string;
}

/** The encryption fields of a location's requests. */
export interface S3Encryption {
  /** Of requests that make an object. */
  readonly newObject: {
    readonly ServerSideEncryption?: ServerSideEncryption;
    readonly SSEKMSKeyId?: string;
  } & CustomerKeyFields;
  /** Of every request that touches an object's bytes. */
  readonly customerKey: CustomerKeyFields;
  /** Whether the key file is longer than the key, of which the rest has no effect. */
  readonly isKeyFileTooLong: boolean;
}

const keyBytes = 32;

/** Reads the encryption keys of a location, with the customer's key where it names one. */
export async function openEncryption(config: ObjectStoreConfig, context: OpenContext): Promise<S3Encryption> {
  const { customerKeyEncryptionFile: file, customerKeyEncryptionSecret: secret } = config;
  if (file !== undefined) {
    const { key, isTooLong } = await readKeyFile(file);
    return withCustomerKey(key, isTooLong);
  }
  if (secret !== undefined) {
    const key = await readKubernetesSecret({ ...secret, env: context.env, signal: context.signal });
    if (key.length !== keyBytes)
      throw new PluginError(
        `key "${secret.key}" of Secret "${secret.name}" (customerKeyEncryptionSecret) has ${key.length} bytes; an SSE-C key has ${keyBytes}`,
        { kind: "invalid-config" },
      );
    return withCustomerKey(key, false);
  }
  return { newObject: bucketSideEncryption(config), customerKey: {}, isKeyFileTooLong: false };
}

function bucketSideEncryption({ kmsKeyId, serverSideEncryption }: ObjectStoreConfig): S3Encryption["newObject"] {
  if (kmsKeyId !== undefined) return { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyId };
  // Not checked against the SDK's list: S3 and compatible stores know more words than it does.
  return serverSideEncryption === undefined
    ? {}
    : { ServerSideEncryption: serverSideEncryption as ServerSideEncryption };
}

function withCustomerKey(key: Buffer, isKeyFileTooLong: boolean): S3Encryption {
  const customerKey = { SSECustomerAlgorithm: "AES256", SSECustomerKey: key.toString("base64") } as const;
  return { newObject: customerKey, customerKey, isKeyFileTooLong };
}

async function readKeyFile(path: string): Promise<{ readonly key: Buffer; readonly isTooLong: boolean }> {
  const bytes = Buffer.alloc(keyBytes + 1);
  let length: number;
  try {
    await using file = await open(path);
    length = (await file.read(bytes, 0, keyBytes + 1, 0)).bytesRead;
  } catch (error) {
    throw new PluginError(`the SSE-C key file "${path}" (customerKeyEncryptionFile) cannot be read`, {
      kind: "invalid-config",
      cause: error,
    });
  }
  if (length < keyBytes)
    throw new PluginError(
      `the SSE-C key file "${path}" (customerKeyEncryptionFile) has ${length} bytes; an SSE-C key has ${keyBytes}`,
      { kind: "invalid-config" },
    );
  return { key: bytes.subarray(0, keyBytes), isTooLong: length > keyBytes };
}
