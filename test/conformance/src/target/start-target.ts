import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import type { ObjectStoreTarget, Target, VolumeSnapshotterTarget } from "./target.ts";
import type { TargetFile } from "./target-file.ts";
import { fillTemplate } from "./template.ts";

/** A target whose server runs. Disposing ends it and removes its scratch folder. */
export interface StartedTarget extends AsyncDisposable {
  readonly target: Target;
}

/** What a run decides beside the target file. */
export interface StartTargetOptions {
  /** The implementation name; the target's own unless given. */
  readonly provider?: string | undefined;
}

const startTimeoutMs = 120_000;
const stopTimeoutMs = 5000;

/** Starts what a target names, writes its files and fills in what is known by then. */
export async function startTarget(file: TargetFile, options: StartTargetOptions = {}): Promise<StartedTarget> {
  const provider = options.provider ?? file.provider;
  if (provider === undefined) throw new Error(`the target ${file.path} names no provider, and none was given`);
  const scratch = await mkdtemp(join(tmpdir(), "plugin-conformance-"));
  const values = new Map([["scratch", scratch]]);
  for (const [name, value] of Object.entries(process.env)) values.set(`env.${name}`, value ?? "");
  const server = file.start === undefined ? undefined : startServer(file, values);
  const dispose = async (): Promise<void> => {
    if (server !== undefined) await stopServer(server.child);
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    for (const [name, value] of await (server?.ready ?? [])) values.set(`started.${name}`, value);
    await writeFiles(file, scratch, values);
    return { target: fillTarget({ ...file, provider }, scratch, values), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw new Error(`the target ${file.name} does not start`, { cause: error });
  }
}

function fillTarget(
  file: TargetFile & { readonly provider: string },
  scratch: string,
  values: ReadonlyMap<string, string>,
): Target {
  // The shapes are those of the file: filling in changes texts only.
  const fill = <T>(value: T): T => fillTemplate(value, values) as T;
  const outer = file.isIsolated === true ? { PATH: process.env["PATH"] ?? "", HOME: scratch } : definedEnvironment();
  const store: ObjectStoreTarget | undefined = fill(file.objectStore);
  const snapshotter: VolumeSnapshotterTarget | undefined = fill(file.volumeSnapshotter);
  return {
    name: file.name,
    provider: file.provider,
    env: { ...outer, TMPDIR: scratch, ...fill(file.env ?? {}) },
    // The server always hands a prefix over.
    objectStore: store === undefined ? undefined : { ...store, config: { prefix: "", ...store.config } },
    volumeSnapshotter: snapshotter,
    capabilities: new Set(file.capabilities),
    timeLimitFactor: file.timeLimitFactor ?? 1,
    cannot: file.cannot ?? {},
  };
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

async function writeFiles(file: TargetFile, scratch: string, values: Map<string, string>): Promise<void> {
  const folder = join(scratch, "files");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(file.files ?? {})) {
    const path = join(folder, name);
    await writeFile(path, String(fillTemplate(text, values)), { mode: 0o600 });
    values.set(`files.${name}`, path);
  }
}

interface StartingServer {
  readonly child: ChildProcess;
  readonly ready: Promise<readonly (readonly [string, string])[]>;
}

function startServer(file: TargetFile, values: ReadonlyMap<string, string>): StartingServer {
  const [command = "", ...args] = (file.start?.command ?? []).map((part) => String(fillTemplate(part, values)));
  const program = command === "node" ? process.execPath : command;
  const child = spawn(program, args, { cwd: file.folder, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const ended = new AbortController();
  const ready = Promise.race([
    once(lines, "line").then(([line]) => flatten("", parseLine(String(line)))),
    once(child, "exit").then(([code]) => {
      throw new Error(`${command} ${args.join(" ")} ended with ${code} before it was ready`);
    }),
    once(child, "error").then(([error]) => {
      throw new Error(`${command} cannot be started`, { cause: error });
    }),
    delay(startTimeoutMs, undefined, { signal: ended.signal, ref: false }).then(() => {
      throw new Error(`${command} printed no line within ${startTimeoutMs / 1000} s`);
    }),
  ]).finally(() => ended.abort());
  return { child, ready };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`the server said ${JSON.stringify(line.slice(0, 200))} where one line of JSON is wanted`, {
      cause,
    });
  }
}

function flatten(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, item]) => flatten(path === "" ? key : `${path}.${key}`, item));
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.stdin?.end();
  if ((await Promise.race([gone, delay(stopTimeoutMs, undefined, { ref: false })])) !== undefined) return;
  child.kill("SIGKILL");
  await gone;
}
