import type {
  BlobDescription,
  BlobDriver,
  BlobLimits,
  BlobPage,
  BlobRange,
  BlobRead,
  BlobUpload,
  Checksum,
  CopySource,
} from "@flotilla/sdk/objects";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call, ObjectDescription } from "@flotilla/sdk/plugin";
import { isRecord } from "./answers.ts";
import type { Attempt } from "./errors.ts";
import { readAttempt } from "./gcs-attempts.ts";
import { readBody } from "./gcs-body.ts";
import { checksumOfHeader } from "./gcs-checksums.ts";
import { rewriteObject } from "./gcs-copy.ts";
import type { GcsCopyOrigin } from "./gcs-copy.ts";
import { describedFields, describeMetadata } from "./gcs-description.ts";
import { putWhole } from "./gcs-put.ts";
import type { GcsTarget } from "./gcs-put.ts";
import { explainRefusal } from "./gcs-read-refusal.ts";
import type { GcsSession } from "./gcs-session.ts";
import type { GcsSettings } from "./gcs-settings.ts";
import type { GcsSigner } from "./gcs-signer.ts";
import { chunkMultipleBytes, GcsUpload } from "./gcs-upload.ts";
import type { HttpAnswer } from "./transport.ts";

/** What the driver of one bucket works with. */
export interface GcsBlobDriverOptions {
  readonly session: GcsSession;
  readonly settings: GcsSettings;
  readonly signer: GcsSigner;
  /** The one bucket that {@link GcsBlobDriver.copyFrom} copies from. */
  readonly copyOrigin?: GcsCopyOrigin | undefined;
}

const mebibyte = 1024 ** 2;
// A session has no number of chunks; so many that the largest object never needs more memory than two of them.
const limits: BlobLimits = {
  minPartBytes: mebibyte,
  maxPartBytes: 64 * mebibyte,
  partMultipleBytes: chunkMultipleBytes,
  maxParts: 1_000_000,
  maxObjectBytes: 5 * 1024 ** 4,
};

/** One bucket of Cloud Storage. */
export class GcsBlobDriver implements BlobDriver {
  readonly limits = limits;
  // What the service computes of every object, composed ones included, and compares where it is told.
  readonly checksumAlgorithm = "crc32c";
  readonly takesPartsInOrder = true;
  readonly refusesHeld = true;
  // One chunk travels at a time, so that its size decides how much of the time is spent on waiting for the answer.
  readonly firstPartBytes = 16 * mebibyte;
  readonly #options: GcsBlobDriverOptions;
  readonly #session: GcsSession;

  constructor(options: GcsBlobDriverOptions) {
    this.#options = options;
    this.#session = options.session;
  }

  async stat(key: string, call: Call): Promise<ObjectDescription | undefined> {
    const attempt = readAttempt("look up", this.#session.bucket, key, "storage.objects.get");
    const url = this.#objectUrl(key, { fields: describedFields });
    const request = { method: "GET", url, headers: this.#options.settings.customerKey };
    const { api } = this.#session;
    try {
      return await this.#session.onObject(attempt, call, async () => {
        const lookUp = async (): Promise<Readonly<Record<string, unknown>>> => await api.json(request, attempt, call);
        return describeMetadata(await api.patiently(attempt, call, lookUp));
      });
    } catch (error) {
      if (isKind(error, "not-found")) return undefined;
      throw error;
    }
  }

  async read(key: string, call: Call): Promise<BlobRead> {
    const attempt = readAttempt("read", this.#session.bucket, key, "storage.objects.get");
    const answer = await this.#session.onObject(
      attempt,
      call,
      async () => await this.#media(key, {}, {}, attempt, call),
    );
    const { headers } = answer;
    const size = headers["x-goog-stored-content-length"] ?? headers["content-length"];
    if (answer.status !== 200 || typeof size !== "string") throw unusable(answer, attempt);
    const generation = headers["x-goog-generation"];
    return {
      sizeBytes: Number(size),
      version: typeof generation === "string" ? generation : "",
      checksum: checksumOfHeader(headers["x-goog-hash"]),
      body: readBody(answer, attempt, call.signal),
    };
  }

  async readRange(key: string, range: BlobRange, call: Call): Promise<AsyncIterable<Uint8Array>> {
    const attempt = readAttempt("read", this.#session.bucket, key, "storage.objects.get");
    const { start, end, version } = range;
    const query = version === "" ? {} : { generation: version };
    let answer: HttpAnswer;
    try {
      answer = await this.#media(key, query, { range: `bytes=${start}-${end}` }, attempt, call);
    } catch (error) {
      // A generation that is gone was replaced or deleted: two answers that mean different things to the reader.
      if (!isKind(error, "not-found") || (await this.stat(key, call)) === undefined) throw error;
      throw new PluginError(`${attempt.action}: it was replaced while it was read`, {
        kind: "conflict",
        cause: error,
      });
    }
    if (answer.headers["content-range"]?.startsWith(`bytes ${start}-${end}/`) === true)
      return readBody(answer, attempt, call.signal);
    throw unusable(answer, attempt);
  }

  async put(key: string, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<void> {
    await putWhole(this.#target(key), body, checksum, call);
  }

  async startUpload(key: string, call: Call): Promise<BlobUpload> {
    return await GcsUpload.start(this.#target(key), call);
  }

  async *list(
    { prefix, delimiter }: { readonly prefix: string; readonly delimiter: string | undefined },
    call: Call,
  ): AsyncGenerator<BlobPage> {
    const { api, bucket } = this.#session;
    const attempt = { action: `list "${prefix}" in bucket "${bucket}"`, permission: "storage.objects.list" };
    const query = {
      fields: "items/name,prefixes,nextPageToken",
      ...(prefix === "" ? {} : { prefix }),
      ...(delimiter === undefined ? {} : { delimiter }),
    };
    let pageToken: string | undefined;
    do {
      const url = this.#session.url("o", pageToken === undefined ? query : { ...query, pageToken });
      const page = await api.patiently(
        attempt,
        call,
        async () => await api.json({ method: "GET", url }, attempt, call),
      );
      yield { keys: namesOf(page["items"]), commonPrefixes: textsOf(page["prefixes"]) };
      pageToken = textsOf([page["nextPageToken"]])[0];
      // Stores beside Google's write an empty one, which would begin the listing anew.
    } while (pageToken !== undefined && pageToken !== "");
  }

  async remove(key: string, call: Call): Promise<void> {
    const attempt = readAttempt("delete", this.#session.bucket, key, "storage.objects.delete");
    const { api } = this.#session;
    const url = this.#objectUrl(key, {});
    try {
      await this.#session.onObject(attempt, call, async () => {
        const remove = async (): Promise<HttpAnswer> => await api.sendOk({ method: "DELETE", url }, attempt, call);
        (await api.patiently(attempt, call, remove)).body.resume();
      });
    } catch (error) {
      if (!isKind(error, "not-found")) throw error;
    }
  }

  async copyFrom(source: CopySource, key: string, call: Call): Promise<BlobDescription> {
    const { copyOrigin } = this.#options;
    if (copyOrigin !== undefined) return await rewriteObject(this.#target(key), copyOrigin, source, call);
    throw new PluginError(`copy object "${source.key}" from bucket "${source.bucket}": it is not the location's own`, {
      kind: "unsupported",
    });
  }

  async sign(key: string, ttlSeconds: number, call: Call): Promise<string> {
    requireName(key);
    return await this.#options.signer.sign(this.#session, key, ttlSeconds, call);
  }

  async #media(
    key: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    attempt: Attempt,
    call: Call,
  ): Promise<HttpAnswer> {
    const request = {
      method: "GET",
      url: this.#objectUrl(key, { alt: "media", ...query }),
      // Otherwise an object that was stored compressed is sent as something else than its checksum is of.
      headers: { "accept-encoding": "gzip", ...headers, ...this.#options.settings.customerKey },
    };
    try {
      return await this.#session.api.sendOk(request, attempt, call);
    } catch (error) {
      const { customerKey } = this.#options.settings;
      throw await explainRefusal(error, this.#session, key, customerKey, attempt, call);
    }
  }

  #target(key: string): GcsTarget {
    requireName(key);
    return { session: this.#session, key, settings: this.#options.settings };
  }

  #objectUrl(key: string, query: Readonly<Record<string, string>>): URL {
    requireName(key);
    return this.#session.objectUrl(key, query);
  }
}

function unusable(answer: HttpAnswer, { action }: Attempt): PluginError {
  answer.body.destroy();
  return new PluginError(`${action}: the store answered something else than was asked for`, { kind: "unsupported" });
}

function namesOf(items: unknown): readonly string[] {
  return Array.isArray(items) ? textsOf(items.map((item: unknown) => (isRecord(item) ? item["name"] : undefined))) : [];
}

function textsOf(values: unknown): readonly string[] {
  return Array.isArray(values) ? values.filter((value) => typeof value === "string") : [];
}

/** Refuses the two names that no object has, and that would lead out of the bucket's folder in a URL. */
function requireName(key: string): void {
  if (key !== "." && key !== "..") return;
  throw new PluginError(`object "${key}": Cloud Storage keeps no object of that name; choose another one`, {
    kind: "invalid-argument",
  });
}
