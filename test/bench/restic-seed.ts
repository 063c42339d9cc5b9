import { createCipheriv, createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

// Ten thousand objects would take ten thousand restics: their snapshot files are written here instead, encrypted as
// restic's reference (design document, "Keys, Encryption and MAC") says, all with the tree of one stored object.

/** What `restic cat masterkey` prints. */
export interface MasterKey {
  readonly mac: { readonly k: string; readonly r: string };
  readonly encrypt: string;
}

/** A snapshot as `restic cat snapshot` prints it. */
export type SnapshotDocument = Readonly<Record<string, unknown>> & { readonly tags: readonly string[] };

/** Adds objects to a repository in a folder: copies of a stored one, each under a key of its own. */
export async function seedObjects(
  repository: string,
  masterKey: MasterKey,
  original: SnapshotDocument,
  keys: readonly string[],
): Promise<void> {
  const folder = join(repository, "snapshots");
  await mkdir(folder, { recursive: true });
  for (const key of keys) {
    const upload = randomUUID();
    const tags = original.tags.map((tag) => {
      const name = tag.slice(0, tag.indexOf("="));
      if (name === "flotilla.io/data" || name === "flotilla.io/object") return `${name}=${upload}`;
      return name === "flotilla.io/key" ? `${name}=${key}` : tag;
    });
    const bytes = encrypt(masterKey, Buffer.from(JSON.stringify({ ...original, tags })));
    await writeFile(join(folder, createHash("sha256").update(bytes).digest("hex")), bytes, { mode: 0o400 });
  }
}

function encrypt({ mac, encrypt: key }: MasterKey, plain: Buffer): Buffer {
  const nonce = randomBytes(16);
  const cipher = createCipheriv("aes-256-ctr", Buffer.from(key, "base64"), nonce);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  const pad = createCipheriv("aes-128-ecb", Buffer.from(mac.k, "base64"), null).setAutoPadding(false).update(nonce);
  return Buffer.concat([nonce, sealed, poly1305(sealed, Buffer.from(mac.r, "base64"), pad)]);
}

const prime = 2n ** 130n - 5n;
const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

/** RFC 8439, section 2.5.1. */
function poly1305(message: Buffer, r: Buffer, s: Buffer): Buffer {
  const factor = littleEndian(r) & clamp;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + littleEndian(block) + (1n << BigInt(8 * block.length))) * factor) % prime;
  }
  const tag = (sum + littleEndian(s)) & (2n ** 128n - 1n);
  return Buffer.from(Buffer.from(tag.toString(16).padStart(32, "0"), "hex").toReversed());
}

function littleEndian(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex")}`);
}
