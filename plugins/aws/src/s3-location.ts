import type { Call, OpenContext } from "@flotilla/sdk/plugin";
import { openConnection } from "./client.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { S3BlobDriver } from "./s3-blob-driver.ts";
import type { S3CopyOrigin } from "./s3-copy.ts";
import { openEncryption } from "./s3-encryption.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import { removeLeftovers } from "./s3-leftovers.ts";
import { S3Session } from "./s3-session.ts";
import { createSigner } from "./s3-signer.ts";

/** How a location differs where it is the place of copies. */
export interface S3LocationOptions {
  readonly expectedBucketOwner?: string | undefined;
  /** Of copies to the store at this endpoint; undefined for one that cannot copy from there. */
  readonly copyOrigin?: (endpoint: string | undefined) => S3CopyOrigin | undefined;
}

/** An identity, an endpoint and an encryption: what the drivers of a location's buckets are made from. */
export interface S3Location {
  readonly config: ObjectStoreConfig;
  /** Undefined for AWS's own. */
  readonly endpoint: string | undefined;
  readonly encryption: S3Encryption;
  openSession(bucket: string): S3Session;
  openDriver(session: S3Session, options?: { readonly tagging?: string | undefined }): S3BlobDriver;
  close(): void;
}

/** Opens what a location's keys describe. Only what a file must yield is read; S3 is asked for nothing. */
export async function openS3Location(
  config: ObjectStoreConfig,
  context: OpenContext,
  options: S3LocationOptions = {},
): Promise<S3Location> {
  const [{ settings, isRegionKnown }, encryption] = await Promise.all([
    openConnection(
      "s3",
      { ...config, endpoint: config.s3Url, insecureSkipVerify: config.insecureSkipTLSVerify },
      context,
    ),
    openEncryption(config, context),
  ]);
  const { expectedBucketOwner } = options;
  const copyOrigin = options.copyOrigin?.(settings.endpoint);
  const { s3ForcePathStyle: forcePathStyle, publicUrl } = config;
  const background = new AbortController();
  let hasLookedForLeftovers = false;
  const lookForLeftovers = (session: S3Session, call: Call): void => {
    if (hasLookedForLeftovers || session.bucket !== config.bucket) return;
    hasLookedForLeftovers = true;
    // Not awaited, so that no put waits for it; it never rejects and ends with the location.
    void removeLeftovers(session, config.prefix, Date.now(), { log: call.log, signal: background.signal });
  };
  return {
    config,
    endpoint: settings.endpoint,
    encryption,
    openSession: (bucket) => new S3Session({ bucket, settings, forcePathStyle, isRegionKnown, expectedBucketOwner }),
    openDriver: (session, { tagging } = { tagging: config.tagging }) =>
      new S3BlobDriver({
        session,
        checksumAlgorithm: config.checksumAlgorithm,
        encryption,
        tagging,
        copyOrigin,
        sign: createSigner({ session, settings, forcePathStyle, publicUrl, encryption }),
        onUploadStarted: (call) => lookForLeftovers(session, call),
      }),
    close: () => {
      background.abort();
      settings.requestHandler.destroy?.();
    },
  };
}
