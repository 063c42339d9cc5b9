import { readFile } from "node:fs/promises";

/** How a plugin process ended. */
export interface ProcessEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** What is known of a plugin process that is gone. */
export interface CrashReport extends ProcessEnd {
  readonly command: string;
  readonly pid: number;
  readonly ranForMs: number;
  /** The largest resident set that was seen; undefined where the system does not tell. */
  readonly peakMemoryBytes: number | undefined;
  /** The end of its stderr, oldest first. */
  readonly lastLines: readonly string[];
}

const mebibyte = 1024 * 1024;

/** The report as one text, for the message of an error. */
export function describeCrash(report: CrashReport): string {
  const memory =
    report.peakMemoryBytes === undefined ? "" : `, peak memory ${Math.round(report.peakMemoryBytes / mebibyte)} MiB`;
  const lines =
    report.lastLines.length === 0
      ? "it wrote nothing to stderr"
      : `its last lines on stderr: ${report.lastLines.join(" | ")}`;
  const ran = `${(report.ranForMs / 1000).toFixed(1)} s`;
  return `plugin process ${report.command} (pid ${report.pid}) ${ending(report)} after ${ran}${memory}; ${lines}`;
}

/** The largest resident set of a running process, in bytes; undefined where /proc does not tell. */
export async function readPeakMemory(pid: number): Promise<number | undefined> {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    // No /proc on this system, or the process is gone: nothing is known.
    return undefined;
  }
}

function ending(end: ProcessEnd): string {
  if (end.signal === "SIGKILL") return "was killed by SIGKILL (perhaps for lack of memory)";
  if (end.signal !== undefined) return `was killed by ${end.signal}`;
  return `exited with code ${end.exitCode ?? "unknown"}`;
}
