import { PluginError } from "../plugin/index.ts";
import { createChecksum, isSameChecksum, printChecksum } from "./checksum.ts";
import { freeChunk } from "./free-chunk.ts";
import { nameOf } from "./object-name.ts";
import type { Call, ObjectRef } from "../plugin/index.ts";
import type { Checksum, StoredChecksum } from "./blob-driver.ts";
import type { RunningChecksum } from "./checksum.ts";
import type { Download } from "./download.ts";

/**
 * Passes a download on and holds its last chunk back until size and recorded checksum agree: a corrupt object never ends
 * cleanly. What has no recorded checksum is served.
 */
export async function* verified(
  object: ObjectRef,
  download: Omit<Download, "version">,
  call: Call,
): AsyncGenerator<Uint8Array, void, void> {
  const { checksum: recorded, sizeBytes } = download;
  if (recorded === undefined)
    call.log.info("the store recorded no checksum for this object: served unverified", { ...object });
  let running: RunningChecksum | undefined;
  let seenBytes = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of download.body) {
    // Within the iteration, so that a failure to start leaves it, and with it the connection.
    if (recorded !== undefined) running ??= await startVerification(object, recorded, sizeBytes);
    running?.update(chunk);
    seenBytes += chunk.byteLength;
    if (seenBytes < sizeBytes) {
      yield chunk;
      freeChunk(chunk);
    } else if (chunk.byteLength > 0) held = chunk;
    if (seenBytes > sizeBytes) break;
  }
  if (seenBytes !== sizeBytes)
    throw corrupt(object, `it has ${seenBytes} bytes where the store announced ${sizeBytes}`);
  if (recorded !== undefined) {
    running ??= await startVerification(object, recorded, sizeBytes);
    compare(object, recorded, running.digest());
  }
  if (held !== undefined) yield held;
}

async function startVerification(
  object: ObjectRef,
  { algorithm, scope }: StoredChecksum,
  sizeBytes: number,
): Promise<RunningChecksum> {
  if (scope === "full-object") return await createChecksum(algorithm);
  const sum = scope.partSizes.reduce((total, size) => total + size, 0);
  if (sum !== sizeBytes) throw corrupt(object, `its recorded parts add up to ${sum} of ${sizeBytes} bytes`);
  return new CompositeChecksum(scope.partSizes, await createChecksum(algorithm), await createChecksum(algorithm));
}

/** The checksum over the checksums of the parts, as stores compute it for uploads of parts. */
class CompositeChecksum implements RunningChecksum {
  readonly #partSizes: readonly number[];
  readonly #inner: RunningChecksum;
  readonly #outer: RunningChecksum;
  #part = 0;
  #partBytes = 0;

  constructor(partSizes: readonly number[], inner: RunningChecksum, outer: RunningChecksum) {
    this.#partSizes = partSizes;
    this.#inner = inner;
    this.#outer = outer;
  }

  update(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.byteLength > 0) {
      this.#endFullParts();
      const taken = rest.subarray(0, (this.#partSizes[this.#part] ?? Infinity) - this.#partBytes);
      this.#inner.update(taken);
      this.#partBytes += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
    }
  }

  digest(): Checksum {
    this.#endFullParts();
    return this.#outer.digest();
  }

  #endFullParts(): void {
    while (this.#partBytes === this.#partSizes[this.#part]) {
      this.#outer.update(this.#inner.digest().bytes);
      this.#part += 1;
      this.#partBytes = 0;
    }
  }
}

function compare(object: ObjectRef, recorded: StoredChecksum, computed: Checksum): void {
  if (isSameChecksum(recorded, computed)) return;
  const scope = recorded.scope === "full-object" ? "" : " over its parts";
  throw corrupt(
    object,
    `its ${recorded.algorithm}${scope} is recorded as ${printChecksum(recorded)}, its bytes give ${printChecksum(computed)}`,
  );
}

function corrupt(object: ObjectRef, fault: string): PluginError {
  return new PluginError(
    `get ${nameOf(object)}: ${fault}; read it again, and if that repeats, it is damaged in the store: use another backup`,
    { kind: "corrupt" },
  );
}
