import type { ServerSideEncryption } from "@aws-sdk/client-s3";
import type { OpenContext } from "@flotilla/sdk/plugin";
import { readCustomerKey } from "@flotilla/sdk/secrets";
import type { ObjectStoreConfig } from "./config.ts";

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

/** Reads the encryption keys of a location, with the customer's key where it names one. */
export async function openEncryption(config: ObjectStoreConfig, context: OpenContext): Promise<S3Encryption> {
  const key = await readCustomerKey(config, context);
  if (key === undefined) return { newObject: bucketSideEncryption(config), customerKey: {}, isKeyFileTooLong: false };
  const customerKey = { SSECustomerAlgorithm: "AES256", SSECustomerKey: key.bytes.toString("base64") } as const;
  return { newObject: customerKey, customerKey, isKeyFileTooLong: key.isFileTooLong };
}

function bucketSideEncryption({ kmsKeyId, serverSideEncryption }: ObjectStoreConfig): S3Encryption["newObject"] {
  if (kmsKeyId !== undefined) return { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyId };
  // Not checked against the SDK's list: S3 and compatible stores know more words than it does.
  return serverSideEncryption === undefined
    ? {}
    : { ServerSideEncryption: serverSideEncryption as ServerSideEncryption };
}
