import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import type { CrashReport } from "@flotilla/host";

import type { CliContext } from "./context.ts";

const keptReports = 10;

/** A report that was kept. */
export interface KeptCrashReport {
  readonly name: string;
  readonly text: string;
}

/** Keeps the report of a plugin process that crashed, for `flotilla debug`; the newest ten stay. */
export function keepCrashReport(context: CliContext, report: CrashReport): void {
  const folder = crashFolder(context);
  const at = context.now().toISOString();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = `${at.replaceAll(":", "-")}-${report.pid}.json`;
    writeFileSync(join(folder, name), `${JSON.stringify({ at, ...report }, undefined, 2)}\n`, { mode: 0o600 });
    for (const old of namesIn(folder).slice(0, -keptReports)) rmSync(join(folder, old), { force: true });
  } catch {
    // A home that cannot be written to, as in a pod, must not hide the error that the crash is told by.
  }
}

/** The reports that were kept, oldest first. */
export function keptCrashReports(context: CliContext): readonly KeptCrashReport[] {
  const folder = crashFolder(context);
  return namesIn(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .toSorted();
  } catch {
    // None was kept yet.
    return [];
  }
}

function crashFolder({ env }: CliContext): string {
  const state = env["XDG_STATE_HOME"] ?? join(env["HOME"] ?? homeFolder(), ".local", "state");
  return join(state, "flotilla", "crash-reports");
}

function homeFolder(): string {
  try {
    return homedir();
  } catch {
    // A user id without a passwd entry, as in a pod: container runtimes say the same.
    return "/";
  }
}
