import { randomUUID } from "node:crypto";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { trustFindings } from "@flotilla/sdk/network";
import { checksumOf } from "@flotilla/sdk/objects";
import { advice, failure, isKind, ok, PluginError, tried, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { HttpResponse } from "@smithy/core/protocols";
import { objectStoreConfig } from "./config.ts";
import type { ObjectStoreConfig } from "./config.ts";
import type { S3BlobDriver } from "./s3-blob-driver.ts";
import type { S3Encryption } from "./s3-encryption.ts";
import type { S3Session } from "./s3-session.ts";

/** What a self-test of a location works with. */
export interface ObjectStoreCheck {
  readonly config: ObjectStoreConfig;
  readonly encryption: S3Encryption;
  readonly endpoint: string | undefined;
  readonly session: S3Session;
  /** As the location's own, and one without its tags. */
  readonly driver: S3BlobDriver;
  readonly untaggedDriver: S3BlobDriver;
}

// AWS refuses requests that are further off; the SDK corrects itself, other clients of the location do not.
const maxSkewMs = 5 * 60_000;

/**
 * Tries each permission of a location, one by one. Its object lies below metadata/, one of the few folders that the
 * server allows beside its own, and is deleted again.
 */
export async function* checkObjectStore(check: ObjectStoreCheck, call: Call): AsyncGenerator<Finding> {
  yield* checkConfig(check);
  try {
    yield await checkList(check, call);
  } catch (error) {
    yield failure("s3:ListBucket", error);
    // Where the bucket cannot be reached or is missing, every further try would say the same.
    if (!isKind(error, "denied")) return;
  }
  yield* checkObject(check, call);
}

function* checkConfig({ config, encryption, endpoint }: ObjectStoreCheck): Generator<Finding> {
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

async function checkList({ session, config }: ObjectStoreCheck, call: Call): Promise<Finding> {
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
  await session.run(attempt, call, async (client, options) => await client.send(command, options));
  const skewMs = date === undefined ? 0 : Date.parse(date) - Date.now();
  if (Math.abs(skewMs) > maxSkewMs)
    return advice("clock", `differs from the store's by ${Math.round(skewMs / 1000)} s`, "set the node's clock (NTP)");
  return ok("s3:ListBucket", `listed "${prefix}"`);
}

async function* checkObject(check: ObjectStoreCheck, call: Call): AsyncGenerator<Finding> {
  const { config, driver } = check;
  const key = `${config.prefix === "" ? "" : `${config.prefix}/`}metadata/flotilla-check-${randomUUID()}`;
  const body = Buffer.from("flotilla check\n");
  const put = await checkPut(check, key, body, call);
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

async function checkPut(check: ObjectStoreCheck, key: string, body: Buffer, call: Call): Promise<Finding> {
  const { config, driver, untaggedDriver } = check;
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
