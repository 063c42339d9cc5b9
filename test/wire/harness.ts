import { constants } from "node:fs";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { Manager, Registry } from "@flotilla/host";
import type { PluginLogLine } from "@flotilla/host";
import { Accounts } from "@flotilla/test/emulators";
import type { Account } from "@flotilla/test/emulators";

/** A plugin under test with what it was heard to say. */
export interface Session {
  readonly manager: Manager;
  /** Every line of its stderr. */
  readonly lines: readonly PluginLogLine[];
  /** What the server would have choked on. */
  readonly violations: readonly string[];
  close(): Promise<void>;
}

/** What one test file works in: a folder of its own, accounts, and plugin processes that are all ended together. */
export interface Workspace {
  readonly folder: string;
  /** The identities that the stand-ins accept; tests add more. */
  readonly accounts: Accounts;
  /** Starts a session; by default it knows nothing of this machine's own AWS settings. */
  start(env?: Readonly<Record<string, string>>, command?: string): Session;
  /** Writes a credentials file for the account and answers its path. */
  writeCredentials(name: string, account: Account): Promise<string>;
  /** Registers something to be ended with the workspace, in reverse order. */
  own(resource: { close(): Promise<void> }): void;
  /** Ends everything, removes the folder, and fails when a session broke a rule of the server. */
  close(): Promise<void>;
}

/** The identity of every test that does not need one of its own. */
export const owner: Account = { accessKeyId: "AKIAOWNER", secretAccessKey: "owner-secret" };

/** The executable under test: the built one, or the file that FLOTILLA_PLUGIN_UNDER_TEST names. */
export const pluginCommand = resolve(
  process.env["FLOTILLA_PLUGIN_UNDER_TEST"] ?? join(import.meta.dirname, "../../plugins/aws/dist/flotilla-plugin-aws"),
);

/** Makes a workspace. */
export async function openWorkspace(): Promise<Workspace> {
  await access(pluginCommand, constants.X_OK).catch((cause: unknown) => {
    throw new Error(`${pluginCommand} cannot be executed; build it first: npm run build`, { cause });
  });
  const folder = await mkdtemp(join(tmpdir(), "flotilla-"));
  const resources: { close(): Promise<void> }[] = [];
  const violations: string[] = [];
  const own = (resource: { close(): Promise<void> }): void => void resources.unshift(resource);
  return {
    folder,
    accounts: new Accounts([owner]),
    own,
    start: (env = {}, command = pluginCommand) => {
      const session = startSession(command, { ...isolatedEnvironment(folder), ...env }, violations);
      own(session);
      return session;
    },
    writeCredentials: async (name, account) => {
      const path = join(folder, `${name}.ini`);
      await writeFile(path, credentialsText(account));
      return path;
    },
    close: async () => {
      for (const resource of resources) await resource.close();
      await rm(folder, { recursive: true, force: true });
      if (violations.length > 0) throw new Error(`the plugin broke rules of the server: ${violations.join("; ")}`);
    },
  };
}

/** A credentials file in AWS's form. */
export function credentialsText(account: Account, profile = "default"): string {
  const token = account.sessionToken === undefined ? "" : `aws_session_token = ${account.sessionToken}\n`;
  return (
    `[${profile}]\naws_access_key_id = ${account.accessKeyId}\n` +
    `aws_secret_access_key = ${account.secretAccessKey}\n${token}`
  );
}

function startSession(command: string, env: Readonly<Record<string, string>>, allViolations: string[]): Session {
  const lines: PluginLogLine[] = [];
  const violations: string[] = [];
  const registry = new Registry();
  for (const kind of ["ObjectStore", "VolumeSnapshotter"]) registry.register({ command, kind, name: "velero.io/aws" });
  const manager = new Manager(registry, {
    env,
    args: ["--log-level=debug", "--features=EnableCSI"],
    onLog: (line) => void lines.push(line),
    onViolation: (violation) => {
      violations.push(violation);
      allViolations.push(violation);
    },
  });
  return { manager, lines, violations, close: () => manager.close() };
}

/** Neither the developer's profiles nor the metadata service of a cloud machine may decide a test. */
function isolatedEnvironment(folder: string): Readonly<Record<string, string>> {
  return { PATH: process.env["PATH"] ?? "", HOME: folder, TMPDIR: folder, AWS_EC2_METADATA_DISABLED: "true" };
}
