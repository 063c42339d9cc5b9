import { createInterface } from "node:readline";

/** What a program of stand-ins can do to a region while it runs. */
export interface RegionCommands {
  /** From here on nothing in the region answers. */
  lose(region: string): void;
  /** Brings a lost region back as it was. */
  restore(region: string): void;
}

/**
 * Takes commands on stdin, each answered by one JSON line once it is done: `lose-region NAME`, `restore-region NAME`.
 * Calls back when stdin ends.
 */
export function takeRegionCommands(commands: RegionCommands, onEnd: () => void): void {
  createInterface({ input: process.stdin })
    .on("line", (line) => process.stdout.write(`${JSON.stringify(obey(commands, line))}\n`))
    .once("close", onEnd);
}

function obey(commands: RegionCommands, line: string): Readonly<Record<string, string>> {
  const [command, region] = line.split(" ");
  if (region === undefined || (command !== "lose-region" && command !== "restore-region")) {
    return { error: `unknown command: ${line}` };
  }
  try {
    if (command === "lose-region") commands.lose(region);
    else commands.restore(region);
  } catch (error) {
    return { error: String(error) };
  }
  return { [command]: region };
}
