import { randomUUID } from "node:crypto";
import { trustFindings } from "@flotilla/sdk/network";
import { checksumOf } from "@flotilla/sdk/objects";
import { advice, failure, isKind, ok, PluginError, tried, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import type { CustomerKey } from "@flotilla/sdk/secrets";
import type { Connection } from "./client.ts";
import { objectStoreConfig } from "./config.ts";
import type { ObjectStoreConfig } from "./config.ts";
import type { GcsBlobDriver } from "./gcs-blob-driver.ts";
import type { GcsSession } from "./gcs-session.ts";

/** What a self-test of a location works with. */
export interface ObjectStoreCheck {
  readonly config: ObjectStoreConfig;
  readonly connection: Connection;
  readonly customerKey: CustomerKey | undefined;
  readonly session: GcsSession;
  readonly driver: GcsBlobDriver;
}

// Google refuses assertions and URLs that are a quarter of an hour off; an assertion from the future at once.
const maxSkewMs = 5 * 60_000;

const neededPermissions = [
  "storage.objects.create",
  "storage.objects.delete",
  "storage.objects.get",
  "storage.objects.list",
];

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
    yield failure("storage.objects.list", error);
    // Where the bucket cannot be reached or is missing, every further try would say the same.
    if (!isKind(error, "denied")) return;
  }
  yield* checkObject(check, call);
}

function* checkConfig({ config, customerKey }: ObjectStoreCheck): Generator<Finding> {
  yield* withoutEffect(objectStoreConfig, config);
  yield* trustFindings(config);
  if (config.storeEndpoint?.protocol === "http:")
    yield advice("storeEndpoint", "objects travel unencrypted", "use https");
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

function* checkAuth({ config, connection }: ObjectStoreCheck): Generator<Finding> {
  const { identity, env } = connection;
  if (identity.kind === "service-account" && config.serviceAccount !== undefined)
    yield advice("serviceAccount", "has no effect beside a private key, which signs URLs itself", "remove it");
  if (identity.kind === "anonymous")
    yield advice("STORAGE_EMULATOR_HOST", "is set, so an emulator is used without credentials", "unset it");
  const named = env["GOOGLE_APPLICATION_CREDENTIALS"];
  if (identity.kind === "metadata" && named)
    yield advice(
      "GOOGLE_APPLICATION_CREDENTIALS",
      "names a file that is no JSON, so the identity of the node or pod is used",
      "give the location Google's credentials, or unset it",
    );
}

async function checkList({ session, config }: ObjectStoreCheck, call: Call): Promise<Finding> {
  const attempt = { action: `list bucket "${session.bucket}"`, permission: "storage.objects.list" };
  const prefix = config.prefix === "" ? "" : `${config.prefix}/`;
  const url = session.url("o", { maxResults: "1", fields: "kind", ...(prefix === "" ? {} : { prefix }) });
  const answer = await session.api.sendOk({ method: "GET", url }, attempt, call);
  answer.body.resume();
  const skewMs = Date.parse(answer.headers.date ?? "") - Date.now();
  if (Math.abs(skewMs) > maxSkewMs)
    return advice("clock", `differs from the store's by ${Math.round(skewMs / 1000)} s`, "set the node's clock (NTP)");
  return ok("storage.objects.list", `listed "${prefix}"`);
}

async function* checkObject(check: ObjectStoreCheck, call: Call): AsyncGenerator<Finding> {
  const { config, driver } = check;
  const key = `${config.prefix === "" ? "" : `${config.prefix}/`}metadata/flotilla-check-${randomUUID()}`;
  const body = Buffer.from("flotilla check\n");
  const checksum = await checksumOf("crc32c", body);
  const put = await tried(
    "storage.objects.create",
    `put "${key}"`,
    async () => await driver.put(key, body, checksum, call),
  );
  yield put;
  if (put.severity === "failure") {
    yield* checkUntried(check, call);
    return;
  }
  yield await tried(
    "storage.objects.get",
    "read the same bytes back",
    async () => await requireSame(driver, key, body, call),
  );
  yield await tried("signed URL", "signed a URL", async () => await driver.sign(key, 60, call));
  yield await tried("storage.objects.delete", "deleted the object again", async () => await driver.remove(key, call));
}

/** What could not be tried without an object, as the bucket's policy says it. */
async function* checkUntried({ session }: ObjectStoreCheck, call: Call): AsyncGenerator<Finding> {
  const attempt = {
    action: `ask for the permissions on bucket "${session.bucket}"`,
    permission: "storage.buckets.get",
  };
  const url = session.url("iam/testPermissions");
  for (const name of neededPermissions) url.searchParams.append("permissions", name);
  let granted: readonly unknown[];
  try {
    const { permissions } = await session.api.json({ method: "GET", url }, attempt, call);
    granted = Array.isArray(permissions) ? permissions : [];
  } catch {
    // The failure that was told already says what to do first.
    return;
  }
  for (const name of neededPermissions)
    if (!granted.includes(name))
      yield failure(name, new PluginError(`is not granted on the bucket; grant ${name}`, { kind: "denied" }));
}

async function requireSame(driver: GcsBlobDriver, key: string, body: Buffer, call: Call): Promise<void> {
  const read = await driver.read(key, call);
  const chunks: Uint8Array[] = [];
  for await (const chunk of read.body) chunks.push(chunk);
  if (!Buffer.concat(chunks).equals(body))
    throw new PluginError("the store answered other bytes than were put", { kind: "corrupt" });
}
