import { randomUUID } from "node:crypto";
import { trustFindings } from "@flotilla/sdk/network";
import { checksumOf } from "@flotilla/sdk/objects";
import { advice, failure, isKind, ok, PluginError, tried, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import type { CustomerKey } from "@flotilla/sdk/secrets";
import { contributorRole } from "./azure-blob-attempts.ts";
import type { AzureBlobDriver } from "./azure-blob-driver.ts";
import type { AzureBlobSession } from "./azure-blob-session.ts";
import type { Connection } from "./client.ts";
import { objectStoreConfig } from "./config.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { keyLine } from "./storage-account.ts";
import type { StorageAccount } from "./storage-account.ts";

/** What a self-test of a location works with. */
export interface ObjectStoreCheck {
  readonly config: ObjectStoreConfig;
  readonly connection: Connection;
  readonly account: StorageAccount;
  readonly customerKey: CustomerKey | undefined;
  readonly session: AzureBlobSession;
  /** As the location's own, and one without its tags. */
  readonly driver: AzureBlobDriver;
  readonly untaggedDriver: AzureBlobDriver;
}

// Azure refuses requests that are a quarter of an hour off, and a URL may not be valid yet before.
const maxSkewMs = 5 * 60_000;

/**
 * Tries each permission of a location, one by one. Its object lies below metadata/, one of the few folders that the
 * server allows beside its own, and is deleted again.
 */
export async function* checkObjectStore(check: ObjectStoreCheck, call: Call): AsyncGenerator<Finding> {
  yield* checkConfig(check);
  yield* checkAuth(check);
  try {
    yield await checkList(check, call);
  } catch (error) {
    yield failure("blobs/read (list)", error);
    // Where the container cannot be reached or is missing, every further try would say the same.
    if (!isKind(error, "denied")) return;
  }
  yield* checkObject(check, call);
}

function* checkConfig({ config, customerKey }: ObjectStoreCheck): Generator<Finding> {
  yield* withoutEffect(objectStoreConfig, config);
  yield* trustFindings(config);
  if (config.storageAccountURI?.protocol === "http:")
    yield advice("storageAccountURI", "objects travel unencrypted", "use https, which signed URLs need anyway");
  const { fault, bytes = 0 } = config.blockSizeInBytes ?? {};
  if (fault !== undefined) yield advice("blockSizeInBytes", fault, "correct or remove the key");
  else if (bytes > config.memoryLimit / 2)
    yield advice("blockSizeInBytes", "is above half of memoryLimit, which is used instead", "raise memoryLimit");
  if (customerKey?.isFileTooLong === true)
    yield advice(
      "customerKeyEncryptionFile",
      "is longer than 32 bytes; only the first 32 are the key",
      "keep a copy of exactly these 32 bytes: other tools refuse the whole file",
    );
  if (customerKey !== undefined)
    yield advice(
      "customerKeyEncryptionFile",
      "signed URLs need the key's headers, which the server's command line does not send",
      "read logs and downloads of this location with flotilla instead",
    );
}

function* checkAuth({ config, account, connection }: ObjectStoreCheck): Generator<Finding> {
  if (account.auth.kind === "key") {
    if (config.useAAD) yield advice("useAAD", "has no effect beside an access key", "remove the key or the line");
    if (config.activeDirectoryAuthorityURI !== undefined && config.storageAccountKeyEnvVar !== undefined)
      yield advice("activeDirectoryAuthorityURI", "has no effect beside an access key", "remove it");
    return;
  }
  if (account.auth.kind === "exchange" && connection.file.line(keyLine) !== undefined)
    yield advice(
      keyLine,
      "is not used: without useAAD an access key is asked of Resource Manager",
      `set storageAccountKeyEnvVar to "${keyLine}" or remove the line`,
    );
  if (account.auth.kind === "exchange")
    yield advice(
      "useAAD",
      "is off, so each start of the plugin asks Resource Manager for an access key of the account",
      `set useAAD to "true" and grant ${contributorRole}`,
    );
  const isUsual = connection.subscriptionId === undefined || connection.resourceGroup === undefined;
  if (account.auth.kind === "token" && config.storageAccountURI === undefined && isUsual)
    yield advice(
      "storageAccountURI",
      "is not set, and without subscription and resource group the account's endpoint cannot be asked for",
      "set storageAccountURI where the account's endpoint is not the usual one",
    );
}

async function checkList({ session, config }: ObjectStoreCheck, call: Call): Promise<Finding> {
  const attempt = { action: `list bucket "${session.bucket}"`, permission: contributorRole };
  const prefix = config.prefix === "" ? "" : `${config.prefix}/`;
  const date = await session.run(attempt, call, async (client, options) => {
    const listing = { ...options, ...(prefix === "" ? {} : { prefix }) };
    const page = await client.listBlobsFlat(listing).byPage({ maxPageSize: 1 }).next();
    return page.value?.date;
  });
  const skewMs = date === undefined ? 0 : date.getTime() - Date.now();
  if (Math.abs(skewMs) > maxSkewMs)
    return advice("clock", `differs from the store's by ${Math.round(skewMs / 1000)} s`, "set the node's clock (NTP)");
  return ok("blobs/read (list)", `listed "${prefix}"`);
}

async function* checkObject(check: ObjectStoreCheck, call: Call): AsyncGenerator<Finding> {
  const { config, driver } = check;
  const key = `${config.prefix === "" ? "" : `${config.prefix}/`}metadata/flotilla-check-${randomUUID()}`;
  const body = Buffer.from("flotilla check\n");
  const put = await checkPut(check, key, body, call);
  yield put;
  if (put.severity === "failure") return;
  yield await tried("blobs/read", "read the same bytes back", async () => await requireSame(driver, key, body, call));
  yield await tried("signed URL", "signed a URL", async () => await driver.sign(key, 60, call));
  yield await tried("blobs/delete", "deleted the object again", async () => await driver.remove(key, call));
}

async function checkPut(check: ObjectStoreCheck, key: string, body: Buffer, call: Call): Promise<Finding> {
  const { config, driver, untaggedDriver } = check;
  const checksum = await checksumOf("md5", body);
  const finding = await tried("blobs/write", `put "${key}"`, async () => await driver.put(key, body, checksum, call));
  if (finding.severity !== "failure" || config.tagging === undefined) return finding;
  const untagged = await tried("blobs/write", "", async () => await untaggedDriver.put(key, body, checksum, call));
  if (untagged.severity === "failure") return finding;
  await untaggedDriver.remove(key, call);
  return {
    ...finding,
    subject: "blobs/tags/write",
    remedy: 'grant the role "Storage Blob Data Owner", or remove the key tagging',
  };
}

async function requireSame(driver: AzureBlobDriver, key: string, body: Buffer, call: Call): Promise<void> {
  const read = await driver.read(key, call);
  const chunks: Uint8Array[] = [];
  for await (const chunk of read.body) chunks.push(chunk);
  if (!Buffer.concat(chunks).equals(body))
    throw new PluginError("the store answered other bytes than were put", { kind: "corrupt" });
}
