import { GetObjectCommand } from "@aws-sdk/client-s3";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { ClientSettings } from "./client.ts";
import { translateS3Error } from "./errors.ts";
import { objectAttempt } from "./s3-attempts.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import { createS3Client } from "./s3-session.ts";
import type { S3Session } from "./s3-session.ts";

/** What URLs are signed with. */
export interface S3SignerOptions {
  readonly session: S3Session;
  readonly settings: ClientSettings;
  readonly forcePathStyle: boolean;
  /** The endpoint that the URL's readers reach. */
  readonly publicUrl: URL | undefined;
  readonly encryption: S3Encryption;
}

// Version 4 signatures end after a week at the latest.
const maxTtlSeconds = 7 * 24 * 3600;

/**
 * Makes the function that signs GETs. With SSE-C the key's headers are part of the signature, and a reader must send
 * them: the server's command line does not, here as with the official plugin.
 */
export function createSigner(
  options: S3SignerOptions,
): (key: string, ttlSeconds: number, call: Call) => Promise<string> {
  return async (key, ttlSeconds, call) => {
    const { session, settings, publicUrl, encryption, forcePathStyle } = options;
    const attempt = { ...objectAttempt("sign a URL of", "s3:GetObject", session.bucket, key), signal: call.signal };
    if (!(ttlSeconds >= 1 && ttlSeconds <= maxTtlSeconds))
      throw new PluginError(`${attempt.action}: the time to live must lie between a second and seven days`, {
        kind: "invalid-argument",
      });
    const region = await session.resolveRegion(call);
    const endpoint = publicUrl?.href ?? settings.endpoint;
    const client = createS3Client(
      { ...settings, region, ...(endpoint === undefined ? {} : { endpoint }) },
      forcePathStyle,
    );
    const command = new GetObjectCommand({ Bucket: session.bucket, Key: key, ...encryption.customerKey });
    try {
      const { getSignedUrl } = await import("@aws-sdk/s3-request-presigner");
      return await getSignedUrl(client, command, { expiresIn: Math.floor(ttlSeconds) });
    } catch (error) {
      throw translateS3Error(error, attempt);
    }
  };
}
