import type { TestContext } from "node:test";
import type { ClientSettings } from "../client.ts";
import type { LocationChecksum } from "../config-values.ts";
import { S3BlobDriver } from "../s3-blob-driver.ts";
import type { S3BlobDriverOptions } from "../s3-blob-driver.ts";
import { S3Session } from "../s3-session.ts";
import { stubSettings } from "./call.ts";
import { startStubServer } from "@flotilla/sdk/testing";
import type { SeenRequest, StubAnswer, StubServer } from "@flotilla/sdk/testing";

/** How the session and driver of a stub bucket differ from the usual. */
export interface StubBucketOptions extends Partial<S3BlobDriverOptions> {
  readonly checksum?: LocationChecksum;
  readonly isRegionKnown?: boolean;
  readonly scheme?: "http" | "https";
  readonly settings?: Partial<ClientSettings>;
}

/** A session and driver of bucket `b` that talk to a stub server. */
export async function openStubBucket(
  t: TestContext,
  answer: (request: SeenRequest) => StubAnswer,
  options: StubBucketOptions = {},
): Promise<{ readonly server: StubServer; readonly session: S3Session; readonly driver: S3BlobDriver }> {
  const server = await startStubServer(t, answer, options.scheme);
  const settings = await stubSettings(server.url, options.settings);
  const session = new S3Session({
    bucket: "b",
    settings,
    forcePathStyle: false,
    isRegionKnown: options.isRegionKnown ?? true,
  });
  t.after(() => session.close());
  const driver = new S3BlobDriver({
    session,
    checksumAlgorithm: options.checksum ?? "crc32",
    encryption: options.encryption ?? { newObject: {}, customerKey: {}, isKeyFileTooLong: false },
    tagging: options.tagging,
    copyOrigin: options.copyOrigin,
    onUploadStarted: options.onUploadStarted ?? (() => {}),
    sign: options.sign ?? (async () => ""),
  });
  return { server, session, driver };
}
