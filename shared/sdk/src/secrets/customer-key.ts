import { open } from "node:fs/promises";
import { PluginError } from "../plugin/index.ts";
import type { OpenContext, SecretReference } from "../plugin/index.ts";
import { readKubernetesSecret } from "./kubernetes-secret.ts";

/** The keys of a location that say where its customer-provided encryption key is; one of them at most. */
export interface CustomerKeySource {
  readonly customerKeyEncryptionFile: string | undefined;
  readonly customerKeyEncryptionSecret: SecretReference | undefined;
}

/** A customer-provided encryption key (SSE-C of S3, CPK of Azure). */
export interface CustomerKey {
  /** 32 bytes. */
  readonly bytes: Buffer;
  /** Whether the key file is longer than the key, of which the rest has no effect. */
  readonly isFileTooLong: boolean;
}

const keyBytes = 32;

/** Reads the customer's key of a location, where it names one. */
export async function readCustomerKey(
  source: CustomerKeySource,
  context: Pick<OpenContext, "env" | "signal">,
): Promise<CustomerKey | undefined> {
  const { customerKeyEncryptionFile: file, customerKeyEncryptionSecret: secret } = source;
  if (file !== undefined) return await readKeyFile(file);
  if (secret === undefined) return undefined;
  const bytes = await readKubernetesSecret({ ...secret, env: context.env, signal: context.signal });
  if (bytes.length !== keyBytes)
    throw new PluginError(
      `key "${secret.key}" of Secret "${secret.name}" (customerKeyEncryptionSecret) has ${bytes.length} bytes; an encryption key has ${keyBytes}`,
      { kind: "invalid-config" },
    );
  return { bytes, isFileTooLong: false };
}

async function readKeyFile(path: string): Promise<CustomerKey> {
  const bytes = Buffer.alloc(keyBytes + 1);
  let length: number;
  try {
    await using file = await open(path);
    length = (await file.read(bytes, 0, keyBytes + 1, 0)).bytesRead;
  } catch (error) {
    throw new PluginError(`the encryption key file "${path}" (customerKeyEncryptionFile) cannot be read`, {
      kind: "invalid-config",
      cause: error,
    });
  }
  if (length < keyBytes)
    throw new PluginError(
      `the encryption key file "${path}" (customerKeyEncryptionFile) has ${length} bytes; an encryption key has ${keyBytes}`,
      { kind: "invalid-config" },
    );
  return { bytes: bytes.subarray(0, keyBytes), isFileTooLong: length > keyBytes };
}
