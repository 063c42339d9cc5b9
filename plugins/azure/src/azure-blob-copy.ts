import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import type { Checksum, CopySource } from "@flotilla/sdk/objects";
import type { Call } from "@flotilla/sdk/plugin";
import { contributorRole } from "./azure-blob-attempts.ts";
import { openOrigin, requireVersion } from "./azure-blob-copy-source.ts";
import type { CopyOrigin, ReadableBlob } from "./azure-blob-copy-source.ts";
import type { AzureBlobSession, SendOptions } from "./azure-blob-session.ts";
import type { AzureBlobSettings } from "./azure-blob-settings.ts";
import { blockIds, contentMd5Field } from "./azure-blob-upload.ts";
import { blobApiVersion, keyedSourceApiVersion } from "./azure-blob-version.ts";

/** How copies are made. */
export interface CopySizes {
  /** The largest object that is copied by one request. */
  readonly maxWholeBytes: number;
  /** Of each block of a larger one, as long as their number allows. */
  readonly blockBytes: number;
  /** How many blocks at a time. */
  readonly parallel: number;
}

/** Where copies are made, and from where. */
export interface CopyPlace {
  readonly origin: CopyOrigin;
  readonly session: AzureBlobSession;
  readonly settings: AzureBlobSettings;
  readonly sizes: CopySizes;
}

/** One copy on its way. */
interface Copy extends CopyPlace {
  readonly source: CopySource;
  readonly key: string;
  readonly md5: Checksum | undefined;
}

type Request = (blob: BlockBlobClient, options: SendOptions, source: ReadableBlob) => Promise<unknown>;

const mebibyte = 1024 ** 2;

// Small enough for each request to end long before a balancer takes its connection for a dead one.
const usualBlockBytes = 64 * mebibyte;
const parallelBlocks = 8;

/** The sizes of copies of which larger ones than this are made in blocks. */
export function copySizes(maxWholeBytes: number): CopySizes {
  return { maxWholeBytes, blockBytes: Math.min(usualBlockBytes, maxWholeBytes), parallel: parallelBlocks };
}

const maxBlocks = 50_000;
// Nothing is heard of a request before its end. Half a MiB a second is slower than any two regions are.
const requestLimitMs = 10 * 60_000;

/**
 * Has the store of the target read the source, whole or in blocks. Answers whether the store compared the bytes with the
 * source's MD5: it does for a whole one; that of many blocks it takes as it is given.
 */
export async function copyBlob(place: CopyPlace, source: CopySource, key: string, call: Call): Promise<boolean> {
  const copy: Copy = { ...place, source, key, md5: md5Of(source) };
  if (source.sizeBytes > place.sizes.maxWholeBytes) {
    await copyInBlocks(copy, call);
    return false;
  }
  await copyWhole(copy, call);
  return copy.md5 !== undefined;
}

async function copyWhole(copy: Copy, call: Call): Promise<void> {
  const { source, md5, settings } = copy;
  await run(copy, "copy", call, async (blob, options, { url, access }) => {
    await blob.syncUploadFromURL(url, {
      ...options,
      ...access,
      sourceConditions: { ifMatch: source.version },
      // A copy has the properties of an object that is put here, whatever others have set on the source.
      copySourceBlobProperties: false,
      ...(md5 === undefined ? {} : { sourceContentMD5: md5.bytes }),
      ...contentMd5Field(md5),
      ...settings.newObject,
      ...settings.writing,
    });
  });
}

async function copyInBlocks(copy: Copy, call: Call): Promise<void> {
  const { source, origin, md5, settings } = copy;
  const ids = await copyBlocks(copy, call);
  // Blocks of two versions of the source must never become one object, and no block tells which one it is of.
  await requireVersion(origin, source.key, source.version, call);
  await run(copy, "commit the blocks of", call, async (blob, options) => {
    await blob.commitBlockList(ids, {
      ...options,
      ...contentMd5Field(md5),
      ...settings.newObject,
      ...settings.writing,
    });
  });
}

/** Stages all blocks, several at a time, and answers their ids in order. The first failure ends the others. */
async function copyBlocks(copy: Copy, call: Call): Promise<string[]> {
  const { sizes, source, settings } = copy;
  const blockBytes = Math.max(sizes.blockBytes, Math.ceil(source.sizeBytes / maxBlocks));
  const idOf = blockIds();
  const ids = Array.from({ length: Math.ceil(source.sizeBytes / blockBytes) }, (_, index) => idOf(index + 1));
  const failed = new AbortController();
  const inner: Call = { ...call, signal: AbortSignal.any([call.signal, failed.signal]) };
  const waiting = ids.entries();
  const work = async (): Promise<void> => {
    for (const [index, id] of waiting) {
      const start = index * blockBytes;
      const count = Math.min(blockBytes, source.sizeBytes - start);
      await run(copy, `copy block ${index + 1} of`, inner, async (blob, options, { url, access }) => {
        await blob.stageBlockFromURL(id, url, start, count, { ...options, ...access, ...settings.writing });
      });
    }
  };
  const workers = Array.from({ length: sizes.parallel }, async () => {
    try {
      await work();
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  await Promise.all(workers).finally(async () => await Promise.allSettled(workers));
  return ids;
}

/** Sends one request for the copy; the access to its source is made anew for each, since tokens and signatures end. */
async function run(copy: Copy, verb: string, call: Call, request: Request): Promise<void> {
  const { session, key, origin, source } = copy;
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(requestLimitMs)]);
  const bounded: Call = { ...call, signal };
  const readable = await openOrigin(origin, source.key, bounded);
  const action = `${verb} object "${key}" from bucket "${source.bucket}" into bucket "${session.bucket}"`;
  const attempt = { action, permission: contributorRole };
  const version = origin.customerKey === undefined ? blobApiVersion : keyedSourceApiVersion;
  const send = async (client: ContainerClient, options: SendOptions): Promise<void> =>
    void (await request(client.getBlockBlobClient(key), options, readable));
  await session.run(attempt, bounded, send, version);
}

function md5Of({ checksum }: CopySource): Checksum | undefined {
  if (checksum?.algorithm !== "md5" || checksum.scope !== "full-object") return undefined;
  return { algorithm: "md5", bytes: Buffer.from(checksum.value, "base64") };
}
