import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { objectAttempt } from "./azure-blob-attempts.ts";
import type { AzureBlobSession } from "./azure-blob-session.ts";
import { blobApiVersion } from "./azure-blob-version.ts";

// A clock that is a little fast must not make a URL that is not yet valid.
const startsBeforeMs = 10 * 60_000;
// A key for user delegation lives that long at most.
const maxTtlSeconds = 7 * 24 * 3600;

/**
 * Signs a URL for reading one object, over https only: with the account's key, or with a key that Entra's token was
 * exchanged for.
 */
export async function signUrl(session: AzureBlobSession, key: string, ttlSeconds: number, call: Call): Promise<string> {
  const attempt = {
    ...objectAttempt("sign a URL of", session.bucket, key),
    permission: 'the role "Storage Blob Delegator" on the account',
  };
  if (!(ttlSeconds >= 1 && ttlSeconds <= maxTtlSeconds))
    throw new PluginError(`${attempt.action}: the time to live must lie between a second and seven days`, {
      kind: "invalid-argument",
    });
  const now = Date.now();
  const values = {
    version: blobApiVersion,
    containerName: session.bucket,
    blobName: key,
    permissions: BlobSASPermissions.parse("r"),
    protocol: SASProtocol.Https,
    startsOn: new Date(now - startsBeforeMs),
    expiresOn: new Date(now + Math.floor(ttlSeconds) * 1000),
  };
  return await session.run(attempt, call, async (client, options, service) => {
    const { credential } = client;
    const query =
      credential instanceof StorageSharedKeyCredential
        ? generateBlobSASQueryParameters(values, credential)
        : generateBlobSASQueryParameters(
            values,
            await service.getUserDelegationKey(values.startsOn, values.expiresOn, options),
            session.account.name,
          );
    return `${client.getBlobClient(key).url}?${query.toString()}`;
  });
}
