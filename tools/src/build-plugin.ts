import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import type { Chunk } from "./bundle.ts";
import { bundledPackages, packageListName } from "./bundled-packages.ts";
import { bundleReport } from "./bundle-report.ts";
import { wrapChunk } from "./chunk-loader.ts";
import { libraryFolderName, programName } from "./executable-name.ts";
import { nodeBinary } from "./node-binary.ts";
import { isNative, outputFolder, parsePlatform } from "./platform.ts";
import type { Platform } from "./platform.ts";
import { startPlugin } from "./plugin-session.ts";
import { runtimeFlags } from "./runtime-flags.ts";
import { buildSingleExecutable } from "./single-executable.ts";
import { parseWarmUp, warmUpPlugin } from "./warm-up.ts";
import type { WarmUp } from "./warm-up.ts";
import { readManifest } from "./workspace.ts";

// A program, run in a plugin's folder: src/main.ts becomes dist/<executable>, or dist/<platform>/<executable> for a
// platform other than this machine's.

const { values } = parseArgs({ options: { platform: { type: "string" } } });
await buildPlugin(process.cwd(), parsePlatform(values.platform));

async function buildPlugin(folder: string, platform: Platform): Promise<void> {
  const manifest = readManifest(folder);
  const name = programName(manifest);
  const output = outputFolder(folder, platform);
  const scratch = mkdtempSync(join(tmpdir(), "build-plugin-"));
  try {
    const chunks = await bundle(resolve(folder, "src/main.ts"));
    const files = writeChunks(chunks, scratch);
    // A command has no usual start whose code could be kept; a plugin of another platform cannot be started here.
    const isWarmedUp = isNative(platform) && manifest.command === undefined;
    const caches = isWarmedUp ? await recordCodeCaches(name, readWarmUp(folder), scratch) : {};
    mkdirSync(output, { recursive: true });
    buildSingleExecutable(
      {
        nodeBinary: nodeBinary(platform),
        program: await bundleProgram("launcher", scratch),
        files: { ...files, ...caches },
        hasCodeCache: isNative(platform),
        runPath: `$ORIGIN/${libraryFolderName(name)}`,
      },
      join(output, name),
      scratch,
    );
    const report = bundleReport(chunks, statSync(join(output, name)).size, sizes(caches));
    writeFileSync(join(output, `${name}.sizes.txt`), report);
    writeFileSync(join(output, packageListName(name)), JSON.stringify(bundledPackages(chunks), undefined, 2));
    process.stdout.write(report);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function writeChunks(chunks: readonly Chunk[], scratch: string): Record<string, string> {
  mkdirSync(join(scratch, "chunks"));
  return Object.fromEntries(
    chunks.map(({ name, code }) => {
      const path = join(scratch, "chunks", name);
      writeFileSync(path, wrapChunk(code));
      return [name, path];
    }),
  );
}

async function bundleProgram(name: string, scratch: string): Promise<string> {
  const [program] = await bundle(join(import.meta.dirname, `${name}.ts`));
  if (program === undefined) throw new Error(`${name} has no code`);
  const path = join(scratch, `${name}.cjs`);
  writeFileSync(path, program.code);
  return path;
}

function readWarmUp(folder: string): WarmUp | undefined {
  const path = join(folder, "src/warm-up.json");
  return existsSync(path) ? parseWarmUp(readFileSync(path, "utf8")) : undefined;
}

/**
 * Runs the plugin once, outside the executable but under the same options, and keeps the code that V8 compiled on the
 * way. A plugin that does not start, or that fails at its warm-up, fails the build with its own words.
 */
async function recordCodeCaches(
  name: string,
  warmUp: WarmUp | undefined,
  scratch: string,
): Promise<Record<string, string>> {
  const caches = join(scratch, "caches");
  const recorder = await bundleProgram("code-cache-recorder", scratch);
  const session = await startPlugin({
    command: nodeBinary(parsePlatform()),
    args: [...runtimeFlags, recorder, join(scratch, "chunks"), caches],
    environment: { ...warmUp?.environment, TMPDIR: scratch },
  });
  try {
    await session.listPlugins();
    if (warmUp !== undefined) await warmUpPlugin(warmUp, session, { path: scratch });
    const status = await session.shutdown();
    if (status !== 0) throw new Error(`the process ended with ${status}`);
  } catch (error) {
    session.kill();
    throw new Error(`${name} failed at its warm-up: ${String(error)}\n${session.stderr()}`, { cause: error });
  }
  return Object.fromEntries(readdirSync(caches).map((file) => [file, join(caches, file)]));
}

function sizes(files: Readonly<Record<string, string>>): Map<string, number> {
  return new Map(Object.values(files).map((path) => [basename(path), statSync(path).size]));
}
