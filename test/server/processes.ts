import { readdirSync, readFileSync } from "node:fs";

/** A running process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly command: string;
}

/** All processes that were started by this path, whoever is their parent now. */
export function processesOf(path: string): readonly ProcessFacts[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: commandOf(name) }))
    .filter(({ command }) => command.startsWith(path));
}

/** The resident bytes of a process. */
export function memoryOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** Empty where it has ended, even if nobody has asked for its exit code yet. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
