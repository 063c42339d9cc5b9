import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { builtCommand, openPluginWorkspace } from "../wire/workspace.ts";
import type { Workspace as PluginWorkspace } from "../wire/workspace.ts";

export type { Session } from "../wire/workspace.ts";

/** What one test file works in, with identities of Google Cloud. */
export interface Workspace extends PluginWorkspace {
  /** Writes a file of credentials and answers its path. */
  writeCredentials(name: string, json: string): Promise<string>;
}

/** The executable under test: the built one, or the file that FLOTILLA_GCP_PLUGIN_UNDER_TEST names. */
export const pluginCommand: string = builtCommand("gcp", "FLOTILLA_GCP_PLUGIN_UNDER_TEST");

/** Makes a workspace. */
export async function openWorkspace(): Promise<Workspace> {
  // Nobody answers at this address: a test that needs a metadata server names its own.
  const env = { GCE_METADATA_HOST: "127.0.0.1:1" };
  const workspace = await openPluginWorkspace({ command: pluginCommand, name: "velero.io/gcp", env });
  return {
    ...workspace,
    writeCredentials: async (name, json) => {
      const path = join(workspace.folder, `${name}.json`);
      await writeFile(path, json);
      return path;
    },
  };
}
