import { open, rm } from "node:fs/promises";
import { gzipSync } from "node:zlib";

import { PluginError } from "@flotilla/sdk/plugin";
import { pack } from "tar-stream";

import { UsageError } from "../cli-error.ts";
import type { Redactor } from "./redactor.ts";

/** One file of a bundle. */
export interface BundleFile {
  readonly name: string;
  readonly content: string;
}

/** Writes a bundle that only its owner may read. A file that is there already is never touched. */
export async function writeBundle(
  path: string,
  files: readonly BundleFile[],
  { redactor, modifiedAt }: { readonly redactor: Redactor; readonly modifiedAt: Date },
): Promise<void> {
  // Whatever went wrong before, a bundle that holds a secret is not written.
  const leak = files.find(({ name, content }) => redactor.finds(name) || redactor.finds(content));
  if (leak !== undefined) {
    throw new PluginError("a secret was found in the bundle, which was not written; please report it", {
      kind: "internal",
    });
  }
  const archive = pack();
  const folder = "flotilla-debug";
  for (const { name, content } of files)
    archive.entry({ name: `${folder}/${name}`, mode: 0o600, mtime: modifiedAt }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  await writeNew(path, gzipSync(Buffer.concat(chunks)));
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be written, or is there already: name another file by --to FILE`, {
      cause: error,
    });
  });
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw new PluginError(`write ${path}: ${String(error)}`, { kind: "internal", cause: error });
  } finally {
    await file.close();
  }
}
