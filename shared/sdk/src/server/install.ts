import { chmod, lstat, mkdir, open, readdir, rename, rm, statfs } from "node:fs/promises";
import { basename, join } from "node:path";
import { PluginError } from "../plugin/index.ts";
import type { PluginErrorKind } from "../plugin/index.ts";

const executableMode = 0o755;
const fileMode = 0o644;
const folderMode = 0o755;
const copiedAtOnceBytes = 1024 ** 2;
const partialSuffix = ".partial";

/**
 * Puts an executable and the folder of libraries beside it into `target`, the volume that the server sees as /plugins,
 * replacing a former version. What an image's init container does: it has no shell and no copying program.
 *
 * Each file appears whole or not at all, and may be in use: it is written beside its place, made durable, and renamed.
 * The execute bit comes last of all, since the server starts every file that has one: whatever an interruption leaves is
 * harmless, and the next run replaces it. Nothing of another plugin is touched.
 */
export async function installExecutable(executable: string, target: string): Promise<void> {
  const name = basename(executable);
  const libraries = `${executable}.lib`;
  const files = await libraryFiles(libraries);
  await requireFolder(target);
  await requireOwn(join(target, `${name}.lib`));
  try {
    await requireRoom(target, [executable, ...files.map((file) => join(libraries, file))]);
    if (files.length > 0) await installLibraries(libraries, files, join(target, `${name}.lib`));
    await replaceFile(executable, join(target, name));
    await chmod(join(target, name), executableMode);
    await syncFolder(target);
    // Last: until its successor stands, a former executable needs its own libraries.
    await removeFormer(join(target, `${name}.lib`), files);
  } catch (error) {
    throw failureOf(error, name, target);
  }
}

async function libraryFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ignoreAbsence);
  return (entries ?? []).filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function requireFolder(target: string): Promise<void> {
  const stats = await lstat(target).catch(ignoreAbsence);
  if (stats?.isDirectory() === true) return;
  const what = stats === undefined ? "does not exist" : "is not a folder";
  throw new PluginError(`install into ${target}: it ${what}; mount the volume \`plugins\` of the velero pod there`, {
    kind: "invalid-argument",
  });
}

/** Before anything is written: a volume that fills up halfway would cost the former version's libraries. */
async function requireRoom(target: string, files: readonly string[]): Promise<void> {
  const sizes = await Promise.all(files.map(async (file) => (await lstat(file)).size));
  const needed = sizes.reduce((sum, size) => sum + size, 0);
  const { bavail, bsize } = await statfs(target);
  if (bavail * bsize >= needed) return;
  throw new PluginError(
    `install into ${target}: ${mebibytes(needed)} MiB are needed and ${mebibytes(bavail * bsize)} MiB are free; ` +
      "give the volume `plugins` more room, or take plugins away that are not used",
    { kind: "unavailable" },
  );
}

/** A link in the place of the libraries might lead to somebody else's files, which would go with the former version's. */
async function requireOwn(libraries: string): Promise<void> {
  const present = await lstat(libraries).catch(ignoreAbsence);
  if (present?.isDirectory() !== false) return;
  throw new PluginError(`install into ${libraries}: what stands there is no folder; take it away`, {
    kind: "conflict",
  });
}

async function installLibraries(from: string, files: readonly string[], to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  // The umask of the container is not ours.
  await chmod(to, folderMode);
  for (const file of files) await replaceFile(join(from, file), join(to, file));
  await syncFolder(to);
}

async function removeFormer(folder: string, files: readonly string[]): Promise<void> {
  const present = (await readdir(folder).catch(ignoreAbsence)) ?? [];
  const former = present.filter((file) => !files.includes(file));
  for (const file of former) await rm(join(folder, file), { recursive: true });
}

async function replaceFile(from: string, to: string): Promise<void> {
  const partial = `${to}${partialSuffix}`;
  await rm(partial, { force: true });
  try {
    await copyDurably(from, partial);
    await rename(partial, to);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  await using source = await open(from, "r");
  await using copy = await open(to, "wx", fileMode);
  const buffer = Buffer.alloc(copiedAtOnceBytes);
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, buffer.length);
    if (bytesRead === 0) break;
    for (let written = 0; written < bytesRead;)
      written += (await copy.write(buffer, written, bytesRead - written)).bytesWritten;
  }
  await copy.chmod(fileMode);
  await copy.sync();
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

function ignoreAbsence(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}

const remedies: Readonly<Record<string, { readonly kind: PluginErrorKind; readonly text: string }>> = {
  ENOSPC: { kind: "unavailable", text: "the volume is full: give the volume `plugins` more room" },
  EDQUOT: { kind: "unavailable", text: "the volume's quota is used up: give the volume `plugins` more room" },
  EROFS: { kind: "denied", text: "it is mounted read-only: mount the volume `plugins` with readOnly: false" },
  EACCES: {
    kind: "denied",
    text: `user ${process.getuid?.() ?? "unknown"} may not write there: let fsGroup of the pod own the volume`,
  },
  EPERM: {
    kind: "denied",
    text: "another user's version is there, or the file system forbids it: use an emptyDir for the volume `plugins`",
  },
  EISDIR: { kind: "conflict", text: "a folder stands where the executable belongs: take it away" },
};

function failureOf(error: unknown, name: string, target: string): PluginError {
  if (error instanceof PluginError) return error;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const remedy = remedies[code ?? ""];
  const { message } = PluginError.from(error);
  return new PluginError(`install ${name} into ${target}: ${remedy?.text ?? message}`, {
    kind: remedy?.kind ?? "internal",
    cause: error,
  });
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(0);
}
