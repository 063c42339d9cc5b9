import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { BlobDescription } from "@flotilla/sdk/objects";
import { describeChecksum, recordedChecksum } from "./s3-checksums.ts";

/** What a HEAD tells of an object, in the contract's form. */
export function describeObject(answer: HeadObjectCommandOutput, isAws: boolean): BlobDescription {
  const recorded = recordedChecksum(answer, isAws);
  return {
    sizeBytes: BigInt(answer.ContentLength ?? 0),
    checksum: recorded && describeChecksum(recorded),
    version: answer.VersionId ?? answer.ETag?.replaceAll(`"`, "") ?? "",
    readVersion: answer.ETag,
    lastModified: answer.LastModified,
    hold: describeHold(answer),
  };
}

function describeHold(answer: HeadObjectCommandOutput): string {
  const holds: string[] = [];
  const until = answer.ObjectLockRetainUntilDate;
  if (until !== undefined) holds.push(`retained until ${until.toISOString()} (${answer.ObjectLockMode ?? "locked"})`);
  if (answer.ObjectLockLegalHoldStatus === "ON") holds.push("under legal hold");
  return holds.join(", ");
}
