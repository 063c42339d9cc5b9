import type {
  ContainerListBlobFlatSegmentResponse,
  ContainerListBlobHierarchySegmentResponse,
} from "@azure/storage-blob";
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
import type { Call } from "@flotilla/sdk/plugin";
import { contributorRole, objectAttempt, readAttempt } from "./azure-blob-attempts.ts";
import { readBody } from "./azure-blob-body.ts";
import { copyBlob } from "./azure-blob-copy.ts";
import type { CopySizes } from "./azure-blob-copy.ts";
import type { CopyOrigin } from "./azure-blob-copy-source.ts";
import { describeBlob, storedMd5 } from "./azure-blob-description.ts";
import type { AzureBlobSession } from "./azure-blob-session.ts";
import type { AzureBlobSettings } from "./azure-blob-settings.ts";
import { signUrl } from "./azure-blob-signer.ts";
import { asBuffer, AzureBlobUpload, contentMd5Field, md5Field } from "./azure-blob-upload.ts";
import { foreignAnswer } from "./errors.ts";

type ListPage = ContainerListBlobFlatSegmentResponse | ContainerListBlobHierarchySegmentResponse;

/** What the driver of one container works with. */
export interface AzureBlobDriverOptions {
  readonly session: AzureBlobSession;
  readonly settings: AzureBlobSettings;
  /** What `blockSizeInBytes` asks for. */
  readonly firstPartBytes: number | undefined;
  /** The one container that {@link AzureBlobDriver.copyFrom} copies from. */
  readonly copies?: { readonly origin: CopyOrigin; readonly sizes: CopySizes };
}

// https://learn.microsoft.com/azure/storage/blobs/scalability-targets
const maxBlockBytes = 4000 * 1024 ** 2;
const maxBlocks = 50_000;
const limits: BlobLimits = {
  minPartBytes: 1,
  maxPartBytes: maxBlockBytes,
  maxParts: maxBlocks,
  maxObjectBytes: maxBlocks * maxBlockBytes,
};

/** One bucket (container) of Blob Storage. */
export class AzureBlobDriver implements BlobDriver {
  readonly limits = limits;
  // The one checksum that the service keeps with an object; it also compares it for each block.
  readonly checksumAlgorithm = "md5";
  readonly hashesWholeObject = true;
  readonly refusesHeld = true;
  readonly firstPartBytes: number | undefined;
  readonly #options: AzureBlobDriverOptions;
  readonly #session: AzureBlobSession;

  constructor(options: AzureBlobDriverOptions) {
    this.firstPartBytes = options.firstPartBytes;
    this.#options = options;
    this.#session = options.session;
  }

  async stat(key: string, call: Call): Promise<BlobDescription | undefined> {
    requireName(key);
    const { customerKey } = this.#options.settings;
    const attempt = readAttempt("look up", this.#session.bucket, key);
    try {
      const answer = await this.#session.run(
        attempt,
        call,
        async (client, options) => await client.getBlobClient(key).getProperties({ ...options, ...customerKey }),
      );
      // Every object has one: without it a proxy's page would count as an object.
      if (answer.etag === undefined) throw foreignAnswer(attempt);
      return describeBlob(answer);
    } catch (error) {
      // A missing container is another kind of error: the service's codes tell them apart, those of a HEAD too.
      if (isKind(error, "not-found")) return undefined;
      throw error;
    }
  }

  async read(key: string, call: Call): Promise<BlobRead> {
    requireName(key);
    const attempt = readAttempt("read", this.#session.bucket, key);
    const { customerKey } = this.#options.settings;
    const answer = await this.#session.run(attempt, call, async (client, options) => {
      return await client.getBlobClient(key).download(0, undefined, { ...options, ...customerKey, ...withoutResuming });
    });
    return {
      // The SDK refuses an answer without either.
      sizeBytes: answer.contentLength ?? 0,
      version: answer.etag ?? "",
      checksum: storedMd5(answer.contentMD5),
      body: readBody(answer.readableStreamBody, attempt, call.signal),
    };
  }

  async readRange(key: string, range: BlobRange, call: Call): Promise<AsyncIterable<Uint8Array>> {
    const attempt = readAttempt("read", this.#session.bucket, key);
    const { customerKey } = this.#options.settings;
    const answer = await this.#session.run(attempt, call, async (client, options) => {
      return await client.getBlobClient(key).download(range.start, range.end - range.start + 1, {
        ...options,
        ...customerKey,
        ...withoutResuming,
        conditions: { ifMatch: range.version },
      });
    });
    const body = readBody(answer.readableStreamBody, attempt, call.signal);
    if (answer.contentRange?.startsWith(`bytes ${range.start}-${range.end}/`) === true) return body;
    await body[Symbol.asyncIterator]().return?.();
    throw new PluginError(`${attempt.action}: the store answered another range than was asked for`, {
      kind: "unsupported",
    });
  }

  async put(key: string, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<void> {
    requireName(key);
    const { newObject, writing } = this.#options.settings;
    await this.#session.run(objectAttempt("put", this.#session.bucket, key), call, async (client, options) => {
      await client.getBlockBlobClient(key).upload(asBuffer(body), body.byteLength, {
        ...options,
        ...md5Field(checksum),
        ...contentMd5Field(checksum),
        ...newObject,
        ...writing,
      });
    });
  }

  async startUpload(key: string): Promise<BlobUpload> {
    requireName(key);
    return new AzureBlobUpload({ session: this.#session, key, settings: this.#options.settings });
  }

  async *list(
    query: { readonly prefix: string; readonly delimiter: string | undefined },
    call: Call,
  ): AsyncGenerator<BlobPage> {
    const attempt = {
      action: `list "${query.prefix}" in bucket "${this.#session.bucket}"`,
      permission: contributorRole,
    };
    let continuationToken: string | undefined;
    do {
      const token = continuationToken === undefined ? {} : { continuationToken };
      const page = await this.#session.run(attempt, call, async (client, options): Promise<ListPage | undefined> => {
        const listing = { ...options, ...(query.prefix === "" ? {} : { prefix: query.prefix }) };
        const pages: AsyncIterator<ListPage> =
          query.delimiter === undefined
            ? client.listBlobsFlat(listing).byPage(token)
            : client.listBlobsByHierarchy(query.delimiter, listing).byPage(token);
        const step = await pages.next();
        return step.done === true ? undefined : step.value;
      });
      if (page === undefined) return;
      const prefixes = "blobPrefixes" in page.segment ? (page.segment.blobPrefixes ?? []) : [];
      yield {
        keys: page.segment.blobItems.map(({ name }) => name),
        commonPrefixes: prefixes.map(({ name }) => name),
      };
      continuationToken = page.continuationToken || undefined;
    } while (continuationToken !== undefined);
  }

  async remove(key: string, call: Call): Promise<void> {
    requireName(key);
    const attempt = readAttempt("delete", this.#session.bucket, key);
    try {
      await this.#session.run(
        attempt,
        call,
        async (client, options) => await client.getBlobClient(key).delete(options),
      );
    } catch (error) {
      if (!isKind(error, "not-found")) throw error;
    }
  }

  async copyFrom(source: CopySource, key: string, call: Call): Promise<BlobDescription> {
    requireName(key);
    const { copies, settings } = this.#options;
    if (copies === undefined || copies.origin.session.bucket !== source.bucket)
      throw new PluginError(`copy object "${key}" from bucket "${source.bucket}": it is not the location's own`, {
        kind: "unsupported",
      });
    const { origin, sizes } = copies;
    const isCompared = await copyBlob({ origin, sizes, session: this.#session, settings }, source, key, call);
    const copy = await this.stat(key, call);
    if (copy === undefined)
      throw new PluginError(`copy object "${key}" into bucket "${this.#session.bucket}": it was deleted meanwhile`, {
        kind: "conflict",
      });
    // An MD5 that the store took as it was given says nothing of the bytes that arrived.
    return isCompared ? copy : { ...copy, checksum: undefined };
  }

  async sign(key: string, ttlSeconds: number, call: Call): Promise<string> {
    requireName(key);
    return await signUrl(this.#session, key, ttlSeconds, call);
  }
}

// What breaks off is resumed by the layers, which count the tries and know the version.
const withoutResuming = { maxRetryRequests: 0 };

/**
 * Refuses names that would become others on the way: in a URL, a folder named `..` leads out of its folder, and the
 * service makes a slash of every backslash.
 */
function requireName(key: string): void {
  const hasDots = key.split("/").some((part) => part === "." || part === "..");
  if (!hasDots && !key.includes("\\")) return;
  const what = hasDots ? '"." or ".." between slashes' : "backslashes";
  throw new PluginError(`object "${key}": Azure keeps no names with ${what}; choose another name`, {
    kind: "invalid-argument",
  });
}
