import { randomUUID } from "node:crypto";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { trustFindings } from "@flotilla/sdk/network";
import { checksumOf } from "@flotilla/sdk/objects";
import { advice, failure, isKind, ok, PluginError, tried, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { HttpResponse } from "@smithy/core/protocols";
import { objectStoreConfig } from "./config.ts";
import type { S3BlobDriver } from "./s3-blob-driver.ts";
import { nextPageOf } from "./s3-listing.ts";
import type { S3Location } from "./s3-location.ts";
import type { S3Session } from "./s3-session.ts";

// AWS refuses requests that are further off; the SDK corrects itself, other clients of the location do not.
const maxSkewMs = 5 * 60_000;

/**
 * Tries each permission of a location, one by one. Its object lies below metadata/, one of the few folders that the
 * server allows beside its own, and is deleted again.
 */
export async function* checkObjectStore(location: S3Location, call: Call): AsyncGenerator<Finding> {
  yield* checkConfig(location);
  yield* checkBucket(location, call);
}

/** The part of the self-test that is about a bucket. */
export async function* checkBucket(location: S3Location, call: Call): AsyncGenerator<Finding> {
  const session = location.openSession(location.config.bucket);
  try {
    yield await checkList(location, session, call);
  } catch (error) {
    yield failure("s3:ListBucket", error);
    // Where the bucket cannot be reached or is missing, every further try would say the same.
    if (!isKind(error, "denied")) return;
  }
  yield* checkObject(location, session, call);
}

function* checkConfig({ config, encryption, endpoint }: S3Location): Generator<Finding> {
  yield* withoutEffect(objectStoreConfig, config);
  yield* trustFindings(config);
  if (endpoint?.startsWith("http:") === true)
    yield advice("s3Url", "objects travel unencrypted", "use an https endpoint where the network is not trusted");
  if (encryption.isKeyFileTooLong)
    yield advice(
      "customerKeyEncryptionFile",
      "is longer than 32 bytes; only the first 32 are the key",
      "keep a copy of exactly these 32 bytes: other tools refuse the whole file",
    );
  if (encryption.customerKey.SSECustomerKey !== undefined)
    yield advice(
      "customerKeyEncryptionFile",
      "signed URLs need the key's headers, which the server's command line does not send",
      "read logs and downloads of this location with flotilla instead",
    );
}

async function checkList({ config }: S3Location, session: S3Session, call: Call): Promise<Finding> {
  const attempt = { action: `list bucket "${session.bucket}"`, permission: "s3:ListBucket" };
  const prefix = config.prefix === "" ? "" : `${config.prefix}/`;
  const command = new ListObjectsV2Command({ Bucket: session.bucket, Prefix: prefix, MaxKeys: 1 });
  let date: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      if (HttpResponse.isInstance(result.response)) date = result.response.headers["date"];
      return result;
    },
    { step: "deserialize", name: "answerDate" },
  );
  const answer = await session.run(attempt, call, async (client, options) => await client.send(command, options));
  // Whatever answers 200 is not yet a store: a listing without keys would be taken for an empty bucket.
  nextPageOf(answer, attempt);
  const skewMs = date === undefined ? 0 : Date.parse(date) - Date.now();
  if (Math.abs(skewMs) > maxSkewMs)
    return advice("clock", `differs from the store's by ${Math.round(skewMs / 1000)} s`, "set the node's clock (NTP)");
  return ok("s3:ListBucket", `listed "${prefix}"`);
}

async function* checkObject(location: S3Location, session: S3Session, call: Call): AsyncGenerator<Finding> {
  const { config } = location;
  const driver = location.openDriver(session);
  const key = `${config.prefix === "" ? "" : `${config.prefix}/`}metadata/flotilla-check-${randomUUID()}`;
  const body = Buffer.from("flotilla check\n");
  const put = await checkPut(location, session, { key, body }, call);
  yield put;
  if (put.severity !== "failure") {
    yield* checkRead(driver, key, body, call);
    yield await tried("s3:DeleteObject", "deleted the object again", async () => await driver.remove(key, call));
    yield await tried("s3:AbortMultipartUpload", "started an upload of parts and aborted it", async () => {
      const upload = await driver.startUpload(key, call);
      await upload.abort(call);
    });
  }
}

async function checkPut(
  location: S3Location,
  session: S3Session,
  { key, body }: { readonly key: string; readonly body: Buffer },
  call: Call,
): Promise<Finding> {
  const { config } = location;
  const driver = location.openDriver(session);
  const untaggedDriver = location.openDriver(session, { tagging: "" });
  const checksum = await checksumOf(config.checksumAlgorithm, body);
  const finding = await tried("s3:PutObject", `put "${key}"`, async () => await driver.put(key, body, checksum, call));
  if (finding.severity !== "failure" || config.tagging === undefined) return finding;
  const untagged = await tried("s3:PutObject", "", async () => await untaggedDriver.put(key, body, checksum, call));
  if (untagged.severity === "failure") return finding;
  await untaggedDriver.remove(key, call);
  return { ...finding, subject: "s3:PutObjectTagging", remedy: "grant s3:PutObjectTagging or remove the key tagging" };
}

async function* checkRead(driver: S3BlobDriver, key: string, body: Buffer, call: Call): AsyncGenerator<Finding> {
  let hasChecksum = false;
  yield await tried("s3:GetObject", "read the same bytes back", async () => {
    const read = await driver.read(key, call);
    hasChecksum = read.checksum !== undefined;
    const chunks: Uint8Array[] = [];
    for await (const chunk of read.body) chunks.push(chunk);
    if (!Buffer.concat(chunks).equals(body))
      throw new PluginError("the store answered other bytes than were put", { kind: "corrupt" });
  });
  if (!hasChecksum)
    yield advice(
      "checksumAlgorithm",
      "the store keeps no checksum of objects, so a damaged one is not noticed at restore",
      "try another checksumAlgorithm",
    );
}
