import { giveBlock, PluginError } from "../plugin/index.ts";
import { createChecksum } from "./checksum.ts";
import { openDownload } from "./download.ts";
import { freeChunk } from "./free-chunk.ts";
import { verified } from "./integrity.ts";
import { nameOf } from "./object-name.ts";
import type { Call, ObjectDescription, ObjectRef } from "../plugin/index.ts";
import type { StoredChecksum } from "./blob-driver.ts";
import type { TransferContext } from "./transfer-context.ts";

/** One object in one place. */
export interface PlacedObject {
  readonly context: TransferContext;
  readonly ref: ObjectRef;
}

/**
 * Compares a copy with its original: by size and by what the stores recorded, or, where these records are of different
 * forms, by reading the copy back. Throws `corrupt` when they differ.
 */
export async function compareCopy(
  original: PlacedObject & { readonly description: ObjectDescription },
  copy: PlacedObject & { readonly description: ObjectDescription },
  call: Call,
): Promise<void> {
  const verdict = compareRecords(original.description, copy.description);
  if (verdict === "same") return;
  if (verdict === "different") throw differs(copy.ref, describe(original.description), describe(copy.description));
  call.log.info("the checksums of an object and its copy are of different forms: reading the copy back to compare", {
    ...copy.ref,
  });
  const expected = await checksumOfOriginal(original, call);
  const download = await openDownload(copy.context, copy.ref, call);
  for await (const chunk of verified(copy.ref, { ...download, checksum: expected }, call)) giveBlock(chunk);
}

/** What two descriptions tell about the sameness of the bytes. */
function compareRecords(a: ObjectDescription, b: ObjectDescription): "same" | "different" | "unknown" {
  if (a.sizeBytes !== b.sizeBytes) return "different";
  if (a.checksum === undefined || b.checksum === undefined) return "unknown";
  if (a.checksum.algorithm !== b.checksum.algorithm || a.checksum.scope !== b.checksum.scope) return "unknown";
  if (a.checksum.value === b.checksum.value) return "same";
  // Over the parts' checksums: the same bytes in other parts give another value.
  return a.checksum.scope === "full-object" ? "different" : "unknown";
}

/** As recorded, or computed where the store keeps nothing. */
async function checksumOfOriginal({ context, ref }: PlacedObject, call: Call): Promise<StoredChecksum> {
  const { checksum, body } = await openDownload(context, ref, call);
  if (checksum !== undefined) {
    await body[Symbol.asyncIterator]().return?.();
    return checksum;
  }
  const running = await createChecksum("crc32");
  for await (const chunk of body) {
    running.update(chunk);
    giveBlock(chunk);
    freeChunk(chunk);
  }
  return { ...running.digest(), scope: "full-object" };
}

function describe({ sizeBytes, checksum }: ObjectDescription): string {
  return checksum === undefined ? `${sizeBytes} bytes` : `${sizeBytes} bytes, ${checksum.algorithm} ${checksum.value}`;
}

function differs(copy: ObjectRef, expected: string, seen: string): PluginError {
  return new PluginError(`copy to ${nameOf(copy)}: the copy differs from the object (${expected}): ${seen}`, {
    kind: "corrupt",
  });
}
