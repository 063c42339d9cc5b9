import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { azureDefaults } from "@flotilla/test/emulators";

import { builtCommand, openPluginWorkspace } from "../wire/workspace.ts";
import type { Workspace as PluginWorkspace } from "../wire/workspace.ts";

export type { Session } from "../wire/workspace.ts";

/** What one test file works in, with identities of Azure. */
export interface Workspace extends PluginWorkspace {
  /** Writes a credentials file of these lines and answers its path. */
  writeCredentials(name: string, lines: Readonly<Record<string, string>>): Promise<string>;
}

/** The lines of every test that does not need others: the application of the stand-ins, with its secret. */
export const ownerLines: Readonly<Record<string, string>> = {
  AZURE_SUBSCRIPTION_ID: azureDefaults.subscriptionId,
  AZURE_RESOURCE_GROUP: azureDefaults.resourceGroup,
  AZURE_TENANT_ID: azureDefaults.tenantId,
  AZURE_CLIENT_ID: azureDefaults.clientId,
  AZURE_CLIENT_SECRET: azureDefaults.clientSecret,
};

/** The executable under test: the built one, or the file that FLOTILLA_AZURE_PLUGIN_UNDER_TEST names. */
export const pluginCommand = builtCommand("azure", "FLOTILLA_AZURE_PLUGIN_UNDER_TEST");

/** Makes a workspace. */
export async function openWorkspace(): Promise<Workspace> {
  const workspace = await openPluginWorkspace({ command: pluginCommand, name: "velero.io/azure", env: {} });
  return {
    ...workspace,
    writeCredentials: async (name, lines) => {
      const path = join(workspace.folder, `${name}.env`);
      const text = Object.entries(lines).map(([key, value]) => `${key}='${value}'\n`);
      await writeFile(path, text.join(""));
      return path;
    },
  };
}
