import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import type { Pack } from "tar-stream";

/** One entry of a layer. */
export interface LayerFile {
  /** Absolute, in the image. */
  readonly path: string;
  readonly mode: number;
  /** A folder where absent. */
  readonly content?: Buffer;
}

/** A blob of an image: where it lies and how it is referred to. */
export interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** A layer as it lies in an image. */
export interface Layer extends Blob {
  /** Of the layer before compression. */
  readonly diffId: string;
}

const compressionLevel = 9;

/**
 * Writes a layer into the folder of an image's blobs. The same files give the same bytes: they are sorted, belong to
 * root, and are of no time. Folders above a file need no entry of their own but for their mode, so each is written once.
 */
export async function writeLayer(files: readonly LayerFile[], blobs: string): Promise<Layer> {
  const partial = join(blobs, `layer.${process.pid}`);
  const archive = pack();
  const whole = createHash("sha256");
  const compressed = createHash("sha256");
  const written = pipeline(
    archive,
    tap((chunk) => whole.update(chunk)),
    createGzip({ level: compressionLevel }),
    tap((chunk) => compressed.update(chunk)),
    createWriteStream(partial),
  );
  for (const file of withFolders(files)) await addEntry(archive, file);
  archive.finalize();
  await written;
  const digest = compressed.digest("hex");
  const { size } = await stat(partial);
  await rename(partial, join(blobs, digest));
  return { digest: `sha256:${digest}`, size, diffId: `sha256:${whole.digest("hex")}` };
}

function tap(listen: (chunk: Buffer) => void): PassThrough {
  return new PassThrough().on("data", listen);
}

function withFolders(files: readonly LayerFile[]): LayerFile[] {
  const entries = new Map(files.map((file) => [file.path, file]));
  for (const { path } of files) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (!entries.has(folder)) entries.set(folder, { path: folder, mode: 0o755 });
    }
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function addEntry(archive: Pack, { path, mode, content }: LayerFile): Promise<void> {
  const name = path.slice(1);
  const header = { mode, uid: 0, gid: 0, mtime: new Date(0) };
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => (error === undefined || error === null ? resolve() : reject(error));
    if (content === undefined) archive.entry({ ...header, name: `${name}/`, type: "directory" }, done);
    else archive.entry({ ...header, name, type: "file", size: content.length }, content, done);
  });
}
