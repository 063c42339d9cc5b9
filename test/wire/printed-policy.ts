import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The policy that `flotilla install` prints, as a user gets it. */
export async function printedPolicy(...words: readonly string[]): Promise<unknown> {
  const main = join(import.meta.dirname, "..", "..", "cli", "src", "main.ts");
  const { stdout } = await run(process.execPath, [main, "install", ...words, "--policy", "-o", "json"]);
  return JSON.parse(stdout);
}
