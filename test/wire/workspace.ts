import { constants } from "node:fs";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { Manager, Registry } from "@flotilla/host";
import type { PluginLogLine } from "@flotilla/host";

/** A plugin under test with what it was heard to say. */
export interface Session {
  readonly manager: Manager;
  /** Every line of its stderr. */
  readonly lines: readonly PluginLogLine[];
  /** What the server would have choked on. */
  readonly violations: readonly string[];
  close(): Promise<void>;
}

/** What one test file works in: a folder of its own, and plugin processes that are all ended together. */
export interface Workspace {
  readonly folder: string;
  /** Starts a session; by default it knows nothing of this machine's own settings. */
  start(env?: Readonly<Record<string, string>>, command?: string): Session;
  /** Registers something to be ended with the workspace, in reverse order. */
  own(resource: { close(): Promise<void> }): void;
  /** Ends everything, removes the folder, and fails when a session broke a rule of the server. */
  close(): Promise<void>;
}

/** Which plugin a workspace is for. */
export interface PluginUnderTest {
  /** Its executable. */
  readonly command: string;
  /** What it registers, for both kinds. */
  readonly name: string;
  /** Keeps the cloud of the machine out of the tests. */
  readonly env: Readonly<Record<string, string>>;
}

/** The built executable of a plugin, or the file that a variable of the environment names instead. */
export function builtCommand(plugin: string, variable: string): string {
  const built = join(import.meta.dirname, `../../plugins/${plugin}/dist/flotilla-plugin-${plugin}`);
  return resolve(process.env[variable] ?? built);
}

/** Makes a workspace. */
export async function openPluginWorkspace({
  command: built,
  name,
  env: isolation,
}: PluginUnderTest): Promise<Workspace> {
  await access(built, constants.X_OK).catch((cause: unknown) => {
    throw new Error(`${built} cannot be executed; build it first: npm run build`, { cause });
  });
  const folder = await mkdtemp(join(tmpdir(), "flotilla-"));
  const resources: { close(): Promise<void> }[] = [];
  const violations: string[] = [];
  const own = (resource: { close(): Promise<void> }): void => void resources.unshift(resource);
  // Neither the developer's settings nor the metadata service of a cloud machine may decide a test.
  const isolated = { PATH: process.env["PATH"] ?? "", HOME: folder, TMPDIR: folder, ...isolation };
  return {
    folder,
    own,
    start: (env = {}, command = built) => {
      const session = startSession(name, command, { ...isolated, ...env }, violations);
      own(session);
      return session;
    },
    close: async () => {
      for (const resource of resources) await resource.close();
      // What outlives a plugin that was killed may still write there.
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
      if (violations.length > 0) throw new Error(`the plugin broke rules of the server: ${violations.join("; ")}`);
    },
  };
}

function startSession(
  name: string,
  command: string,
  env: Readonly<Record<string, string>>,
  allViolations: string[],
): Session {
  const lines: PluginLogLine[] = [];
  const violations: string[] = [];
  const registry = new Registry();
  for (const kind of ["ObjectStore", "VolumeSnapshotter"]) registry.register({ command, kind, name });
  const manager = new Manager(registry, {
    env,
    args: ["--log-level=debug", "--features=EnableCSI"],
    // Ten times the server's patience: a busy machine is no plugin's fault. Who leaves how soon, other tests judge.
    shutdownTimeoutMs: 20_000,
    onLog: (line) => void lines.push(line),
    onViolation: (violation) => {
      violations.push(violation);
      allViolations.push(violation);
    },
  });
  return { manager, lines, violations, close: () => manager.close() };
}
