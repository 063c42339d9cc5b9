import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import type { CpkInfo, HttpAuthorization } from "@azure/storage-blob";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { readAttempt } from "./azure-blob-attempts.ts";
import type { AzureBlobSession } from "./azure-blob-session.ts";
import { blobApiVersion } from "./azure-blob-version.ts";

/** The container that copies are made from. */
export interface CopyOrigin {
  readonly session: AzureBlobSession;
  /** The customer's key of its objects. */
  readonly customerKey: CpkInfo | undefined;
}

/** What the store of another account needs to read one blob, as the SDK's requests take it. */
export interface ReadableBlob {
  /** A secret where it bears a signature. */
  readonly url: string;
  readonly access: {
    readonly sourceAuthorization?: HttpAuthorization;
    readonly sourceCustomerProvidedKey?: CpkInfo;
  };
}

// A clock that is a little fast must not make a URL that is not yet valid.
const startsBeforeMs = 10 * 60_000;
const validMs = 3_600_000;
const tokenScope = "https://storage.azure.com/.default";

/**
 * Lets another account's store read one blob: by a signature of the account's key, else by the very token that reads it
 * here, which needs no permission to sign.
 */
export async function openOrigin({ session, customerKey }: CopyOrigin, key: string, call: Call): Promise<ReadableBlob> {
  const keyed = customerKey === undefined ? {} : { sourceCustomerProvidedKey: customerKey };
  const attempt = readAttempt("open", session.bucket, key);
  return await session.run(attempt, call, async (client, options) => {
    const { credential } = client;
    const { url } = client.getBlobClient(key);
    if (credential instanceof StorageSharedKeyCredential)
      return { url: `${url}?${sign(credential, session.bucket, key, url)}`, access: keyed };
    const token = "getToken" in credential ? await credential.getToken(tokenScope, options) : null;
    if (token === null) throw new PluginError(`${attempt.action}: no token was issued`, { kind: "denied" });
    return { url, access: { sourceAuthorization: { scheme: "Bearer", value: token.token }, ...keyed } };
  });
}

/** Throws where the blob is of another version than the one that was copied. */
export async function requireVersion(
  { session, customerKey }: CopyOrigin,
  key: string,
  version: string,
  call: Call,
): Promise<void> {
  const keyed = customerKey === undefined ? {} : { customerProvidedKey: customerKey };
  await session.run(readAttempt("look up", session.bucket, key), call, async (client, options) => {
    await client.getBlobClient(key).getProperties({ ...options, ...keyed, conditions: { ifMatch: version } });
  });
}

function sign(credential: StorageSharedKeyCredential, containerName: string, blobName: string, url: string): string {
  const now = Date.now();
  const values = {
    version: blobApiVersion,
    containerName,
    blobName,
    permissions: BlobSASPermissions.parse("r"),
    // Emulators are reached over plain http.
    protocol: url.startsWith("https:") ? SASProtocol.Https : SASProtocol.HttpsAndHttp,
    startsOn: new Date(now - startsBeforeMs),
    expiresOn: new Date(now + validMs),
  };
  return generateBlobSASQueryParameters(values, credential).toString();
}
