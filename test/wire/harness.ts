import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { Accounts } from "@flotilla/test/emulators";
import type { Account } from "@flotilla/test/emulators";

import { builtCommand, openPluginWorkspace } from "./workspace.ts";
import type { Workspace as PluginWorkspace } from "./workspace.ts";

export type { Session } from "./workspace.ts";

/** What one test file works in, with accounts of AWS. */
export interface Workspace extends PluginWorkspace {
  /** The identities that the stand-ins accept; tests add more. */
  readonly accounts: Accounts;
  /** Writes a credentials file for the account and answers its path. */
  writeCredentials(name: string, account: Account): Promise<string>;
}

/** The identity of every test that does not need one of its own. */
export const owner: Account = { accessKeyId: "AKIAOWNER", secretAccessKey: "owner-secret" };

/** The executable under test: the built one, or the file that FLOTILLA_PLUGIN_UNDER_TEST names. */
export const pluginCommand = builtCommand("aws", "FLOTILLA_PLUGIN_UNDER_TEST");

/** Makes a workspace. */
export async function openWorkspace(): Promise<Workspace> {
  const env = { AWS_EC2_METADATA_DISABLED: "true" };
  const workspace = await openPluginWorkspace({ command: pluginCommand, name: "velero.io/aws", env });
  return {
    ...workspace,
    accounts: new Accounts([owner]),
    writeCredentials: async (name, account) => {
      const path = join(workspace.folder, `${name}.ini`);
      await writeFile(path, credentialsText(account));
      return path;
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
