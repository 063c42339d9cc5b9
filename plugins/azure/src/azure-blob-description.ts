import type { BlobGetPropertiesResponse } from "@azure/storage-blob";
import type { BlobDescription, StoredChecksum } from "@flotilla/sdk/objects";

/** What a HEAD tells of an object, in the contract's form. */
export function describeBlob(answer: BlobGetPropertiesResponse): BlobDescription {
  const md5 = answer.contentMD5;
  return {
    sizeBytes: BigInt(answer.contentLength ?? 0),
    checksum: isMd5(md5)
      ? { algorithm: "md5", value: Buffer.from(md5).toString("base64"), scope: "full-object" }
      : undefined,
    version: answer.versionId ?? answer.etag?.replaceAll(`"`, "") ?? "",
    // Conditions take nothing else.
    readVersion: answer.etag,
    lastModified: answer.lastModified,
    hold: describeHold(answer),
  };
}

/** The checksum in an answer, in the contract's form for reads. The official plugin leaves none. */
export function storedMd5(md5: Uint8Array | undefined): StoredChecksum | undefined {
  return isMd5(md5) ? { algorithm: "md5", bytes: md5, scope: "full-object" } : undefined;
}

function isMd5(md5: Uint8Array | undefined): md5 is Uint8Array {
  return md5?.byteLength === 16;
}

function describeHold(answer: BlobGetPropertiesResponse): string {
  const holds: string[] = [];
  const until = answer.immutabilityPolicyExpiresOn;
  if (until !== undefined && until.getTime() > Date.now())
    holds.push(`immutable until ${until.toISOString()} (${answer.immutabilityPolicyMode ?? "unlocked"})`);
  if (answer.legalHold === true) holds.push("under legal hold");
  if (answer.leaseState === "leased") holds.push("leased");
  return holds.join(", ");
}
