import { checksumOf, compareKeys, isSameChecksum, printChecksum } from "../objects/index.ts";
import { PluginError } from "../plugin/index.ts";
import type {
  BlobDescription,
  BlobDriver,
  BlobLimits,
  BlobPage,
  BlobRange,
  BlobRead,
  BlobUpload,
  Checksum,
  ChecksumAlgorithm,
  CompletedUpload,
  CopySource,
  StoredChecksum,
  UploadedPart,
} from "../objects/index.ts";
import type { Call } from "../plugin/index.ts";
import type { TestClock } from "./test-clock.ts";

/** An object as the double keeps it. Tests may change its bytes below the driver. */
export interface MemoryObject {
  bytes: Buffer;
  version: string;
  checksum: StoredChecksum | undefined;
}

/** How the double behaves. */
export interface MemoryBlobOptions {
  readonly limits?: Partial<BlobLimits>;
  readonly checksumAlgorithm?: ChecksumAlgorithm;
  readonly hashesWholeObject?: boolean;
  readonly firstPartBytes?: number;
  /** Refuses a part that is not the next one, or that comes while another is on its way. */
  readonly takesPartsInOrder?: boolean;
  /** Of the chunks in which bodies are read. */
  readonly chunkBytes?: number;
  /** Makes a store that is far away: this clock goes on by a tenth of a second before the first byte of an object. */
  readonly farBy?: TestClock | undefined;
  /** How many keys and common prefixes one page of a listing holds. */
  readonly pageSize?: number;
  /** Of every object; none unless told. */
  readonly hold?: string;
  readonly refusesHeld?: boolean;
  /** The stores from which this one can copy, by bucket. */
  readonly sources?: Readonly<Record<string, MemoryBlobDriver>>;
}

/** A store in memory that is as strict as a real one: part sizes, checksums, versions, visibility. */
export class MemoryBlobDriver implements BlobDriver {
  readonly limits: BlobLimits;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  readonly hashesWholeObject: boolean;
  readonly firstPartBytes: number | undefined;
  readonly takesPartsInOrder: boolean;
  readonly refusesHeld: boolean;
  readonly objects = new Map<string, MemoryObject>();
  /** Uploads of parts that were neither completed nor aborted. */
  readonly openUploads = new Set<BlobUpload>();
  /** Bodies that are being read. */
  openBodies = 0;
  readonly #hold: string;
  readonly #chunkBytes: number;
  readonly #farBy: TestClock | undefined;
  readonly #pageSize: number;
  readonly #sources: Readonly<Record<string, MemoryBlobDriver>>;
  #versions = 0;

  constructor(options: MemoryBlobOptions = {}) {
    this.limits = {
      minPartBytes: 1,
      maxPartBytes: 5 * 1024 ** 3,
      maxParts: 10_000,
      maxObjectBytes: 5 * 1024 ** 4,
      ...options.limits,
    };
    this.checksumAlgorithm = options.checksumAlgorithm ?? "crc32";
    this.hashesWholeObject = options.hashesWholeObject ?? false;
    this.firstPartBytes = options.firstPartBytes;
    this.takesPartsInOrder = options.takesPartsInOrder ?? false;
    this.#hold = options.hold ?? "";
    this.refusesHeld = options.refusesHeld ?? false;
    this.#chunkBytes = options.chunkBytes ?? 64 * 1024;
    this.#farBy = options.farBy;
    this.#pageSize = options.pageSize ?? 1000;
    this.#sources = options.sources ?? {};
  }

  async stat(key: string): Promise<BlobDescription | undefined> {
    const object = this.objects.get(key);
    if (object === undefined) return undefined;
    const { checksum } = object;
    return {
      sizeBytes: BigInt(object.bytes.byteLength),
      checksum: checksum && {
        algorithm: checksum.algorithm,
        value: printChecksum(checksum),
        scope: checksum.scope === "full-object" ? "full-object" : "composite",
      },
      version: object.version,
      lastModified: undefined,
      hold: this.#hold,
    };
  }

  async read(key: string, call: Call): Promise<BlobRead> {
    const { bytes, version, checksum } = this.#find(key);
    return { sizeBytes: bytes.byteLength, version, checksum, body: this.#body(bytes, call, this.#farBy) };
  }

  async readRange(key: string, range: BlobRange, call: Call): Promise<AsyncIterable<Uint8Array>> {
    const { bytes, version } = this.#find(key);
    if (version !== range.version)
      throw new PluginError(`get object ${JSON.stringify(key)}: it changed meanwhile`, { kind: "conflict" });
    return this.#body(bytes.subarray(range.start, range.end + 1), call);
  }

  async put(key: string, body: Uint8Array, checksum: Checksum | undefined): Promise<void> {
    await verify(body, checksum);
    this.store(key, Buffer.from(body), checksum && { ...checksum, scope: "full-object" });
  }

  async startUpload(key: string): Promise<BlobUpload> {
    const upload = new MemoryUpload(this, key);
    this.openUploads.add(upload);
    return upload;
  }

  async *list(query: { readonly prefix: string; readonly delimiter: string | undefined }): AsyncGenerator<BlobPage> {
    const entries = new Set<string>();
    for (const key of [...this.objects.keys()].sort(compareKeys)) {
      if (!key.startsWith(query.prefix)) continue;
      const cut = query.delimiter === undefined ? -1 : key.indexOf(query.delimiter, query.prefix.length);
      entries.add(cut === -1 ? key : key.slice(0, cut + (query.delimiter?.length ?? 0)));
    }
    const all = [...entries];
    for (let start = 0; start < all.length || start === 0; start += this.#pageSize) {
      const page = all.slice(start, start + this.#pageSize);
      const isPrefix = (entry: string): boolean =>
        query.delimiter !== undefined && entry.indexOf(query.delimiter, query.prefix.length) !== -1;
      yield { keys: page.filter((entry) => !isPrefix(entry)), commonPrefixes: page.filter(isPrefix) };
    }
  }

  async remove(key: string): Promise<void> {
    if (this.refusesHeld && this.#hold !== "")
      throw new PluginError(`delete object ${JSON.stringify(key)}: ${this.#hold}`, { kind: "held" });
    this.objects.delete(key);
  }

  async copyFrom(source: CopySource, key: string): Promise<BlobDescription> {
    const store = this.#sources[source.bucket];
    if (store === undefined) throw new PluginError(`no way from bucket ${source.bucket}`, { kind: "unsupported" });
    const { bytes, version } = store.#find(source.key);
    if (version !== source.version) throw new PluginError("the source has changed", { kind: "conflict" });
    // A real store records a checksum of the bytes that arrived, over all of them, however the source was uploaded.
    const { checksumAlgorithm: algorithm } = this;
    const recorded =
      algorithm === "none" ? undefined : { ...(await checksumOf(algorithm, bytes)), scope: "full-object" as const };
    this.store(key, Buffer.from(bytes), recorded);
    const copy = await this.stat(key);
    if (copy === undefined) throw new PluginError("the copy is gone", { kind: "internal" });
    return copy;
  }

  async sign(key: string, ttlSeconds: number): Promise<string> {
    return `memory:///${encodeURIComponent(key)}?ttl=${ttlSeconds}`;
  }

  /** Makes an object visible, as a new version. */
  store(key: string, bytes: Buffer, checksum: StoredChecksum | undefined): void {
    this.#versions += 1;
    this.objects.set(key, { bytes, version: `v${this.#versions}`, checksum });
  }

  #find(key: string): MemoryObject {
    const object = this.objects.get(key);
    if (object === undefined)
      throw new PluginError(`get object ${JSON.stringify(key)}: not found`, { kind: "not-found" });
    return object;
  }

  async *#body(bytes: Buffer, call: Call, farBy?: TestClock): AsyncGenerator<Uint8Array> {
    this.openBodies += 1;
    try {
      await farBy?.advance(100);
      for (let start = 0; start < bytes.byteLength; start += this.#chunkBytes) {
        call.signal.throwIfAborted();
        yield Buffer.from(bytes.subarray(start, start + this.#chunkBytes));
      }
    } finally {
      this.openBodies -= 1;
    }
  }
}

class MemoryUpload implements BlobUpload {
  readonly #driver: MemoryBlobDriver;
  readonly #key: string;
  #isBusy = false;
  readonly #parts = new Map<number, { readonly bytes: Buffer; readonly checksum: Checksum | undefined }>();

  constructor(driver: MemoryBlobDriver, key: string) {
    this.#driver = driver;
    this.#key = key;
  }

  async putPart(number: number, body: Uint8Array, checksum: Checksum | undefined, call: Call): Promise<UploadedPart> {
    const isNext = !this.#isBusy && number === this.#parts.size + 1;
    if (this.#driver.takesPartsInOrder && !isNext)
      throw new PluginError("not the next part", { kind: "invalid-argument" });
    this.#isBusy = true;
    await verify(body, checksum);
    this.#isBusy = false;
    call.signal.throwIfAborted();
    this.#requireOpen();
    if (body.byteLength > this.#driver.limits.maxPartBytes || number > this.#driver.limits.maxParts)
      throw new PluginError("part too large", { kind: "invalid-argument" });
    this.#parts.set(number, { bytes: Buffer.from(body), checksum });
    return { number, sizeBytes: body.byteLength, checksum, token: `token-${number}` };
  }

  async complete(upload: CompletedUpload): Promise<void> {
    this.#requireOpen();
    const parts = upload.parts.map(({ number }) => this.#parts.get(number)?.bytes ?? Buffer.alloc(0));
    const isGapless = upload.parts.every(
      ({ number, token }, index) => number === index + 1 && token === `token-${number}`,
    );
    const { minPartBytes, partMultipleBytes = 1 } = this.#driver.limits;
    const isLargeEnough = parts
      .slice(0, -1)
      .every(({ byteLength }) => byteLength >= minPartBytes && byteLength % partMultipleBytes === 0);
    if (!isGapless || !isLargeEnough) throw new PluginError("wrong parts", { kind: "invalid-argument" });
    const bytes = Buffer.concat(parts);
    if (bytes.byteLength !== upload.sizeBytes) throw new PluginError("wrong size", { kind: "corrupt" });
    await verify(bytes, upload.checksum);
    this.#driver.openUploads.delete(this);
    this.#driver.store(this.#key, bytes, await this.#checksum(upload));
  }

  async abort(call: Call): Promise<void> {
    call.signal.throwIfAborted();
    this.#driver.openUploads.delete(this);
  }

  async #checksum({ parts, checksum }: CompletedUpload): Promise<StoredChecksum | undefined> {
    if (checksum !== undefined) return { ...checksum, scope: "full-object" };
    const sums = parts.flatMap(({ number }) => this.#parts.get(number)?.checksum ?? []);
    const [first] = sums;
    if (first === undefined) return undefined;
    const composite = await checksumOf(first.algorithm, Buffer.concat(sums.map(({ bytes }) => bytes)));
    return { ...composite, scope: { partSizes: parts.map(({ sizeBytes }) => sizeBytes) } };
  }

  #requireOpen(): void {
    if (!this.#driver.openUploads.has(this)) throw new PluginError("no such upload", { kind: "invalid-argument" });
  }
}

async function verify(bytes: Uint8Array, claimed: Checksum | undefined): Promise<void> {
  if (claimed === undefined) return;
  if (!isSameChecksum(claimed, await checksumOf(claimed.algorithm, bytes)))
    throw new PluginError("the bytes differ from their checksum", { kind: "corrupt" });
}
