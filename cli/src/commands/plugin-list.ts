import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { Report } from "../context.ts";
import { formatTable } from "../output/table.ts";
import type { Session } from "../session.ts";

const run = promisify(execFile);
const versionTimeoutMs = 5000;

/** What the executables register, with their versions. */
export async function listPlugins(session: Session): Promise<Report> {
  const { registry } = await session.plugins();
  const registered = registry.list();
  const commands = [...new Set(registered.map(({ command }) => command))];
  const versions = new Map(
    await Promise.all(commands.map(async (command) => [command, await versionOf(session, command)] as const)),
  );
  const plugins = registered.map((plugin) => ({ ...plugin, version: versions.get(plugin.command) ?? "" }));
  const rows = plugins.map(({ name, kind, command, version }) => [name, kind, command, version || "-"]);
  return { json: { plugins }, text: formatTable(["name", "kind", "executable", "version"], rows) };
}

/** The first line of `--version`; empty for an executable that knows no such flag, as the official ones. */
async function versionOf(session: Session, command: string): Promise<string> {
  try {
    const { env, signal } = session.context;
    const { stdout } = await run(command, ["--version"], { env: { ...env }, signal, timeout: versionTimeoutMs });
    return stdout.split("\n")[0]?.trim() ?? "";
  } catch {
    // An executable without the flag refuses to run by hand, which is no fault of a plugin.
    return "";
  }
}
