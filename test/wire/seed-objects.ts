import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { defaultAccountId } from "@flotilla/test/emulators";

import { newBucket } from "../emulators/s3/buckets.ts";
import { S3State } from "../emulators/s3/state.ts";

/**
 * Fills a bucket with empty objects before its stand-in starts: ten thousand requests would take longer than all that
 * the test looks at.
 */
export async function seedObjects(stateDir: string, bucketName: string, keys: readonly string[]): Promise<void> {
  const settings = { regions: ["us-east-1"], kms: {}, allowSseCustomerOverHttp: false, keepsChecksums: true };
  const state = new S3State(stateDir, settings);
  const bucket = state.createBucket(newBucket(bucketName, "us-east-1", defaultAccountId, false));
  const common = {
    versionId: "null",
    lastModified: new Date().toISOString(),
    size: 0,
    etag: "d41d8cd98f00b204e9800998ecf8427e",
    owner: defaultAccountId,
    headers: {},
    userMetadata: {},
    storageClass: "STANDARD",
    tags: {},
    encryption: { kind: "AES256" },
  } as const;
  await state.withStaging(async (folder) => {
    for (const [index, key] of keys.entries()) {
      const staged = join(folder, String(index));
      mkdirSync(staged);
      writeFileSync(join(staged, "data"), "");
      bucket.objects.publish({ ...common, key, sequence: state.nextSequence() }, staged);
    }
  });
}
