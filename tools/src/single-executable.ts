import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { withRunPath } from "./elf-run-path.ts";
import { trimIcuData } from "./icu-data.ts";
import { runtimeFlags } from "./runtime-flags.ts";
import { stripSections } from "./strip-sections.ts";
import { trimTypeStripper } from "./type-stripper.ts";

/** What goes into an executable. */
export interface ExecutableParts {
  /** Node's own executable for the target, of the version that runs this program. */
  readonly nodeBinary: string;
  /** The CommonJS script that runs first. */
  readonly program: string;
  /** The files that the program finds inside, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether the program's own code cache is made: only for the platform that this program runs on. */
  readonly hasCodeCache: boolean;
  /** Where the executable looks for its shared libraries first. */
  readonly runPath: string;
}

/** Builds a Node single executable at `output`, which appears there whole. `scratch` is an existing folder. */
export function buildSingleExecutable(parts: ExecutableParts, output: string, scratch: string): void {
  const base = join(scratch, "node");
  writeFileSync(base, trimmed(readFileSync(parts.nodeBinary)), { mode: 0o755 });
  const raw = join(scratch, "executable");
  const configuration = join(scratch, "executable.json");
  writeFileSync(
    configuration,
    JSON.stringify({
      // Kept in the executable as it is given: by its bare name, or no two builds would be the same.
      main: relative(scratch, parts.program),
      executable: base,
      output: raw,
      assets: parts.files,
      disableExperimentalSEAWarning: true,
      useCodeCache: parts.hasCodeCache,
      execArgv: runtimeFlags,
      // NODE_OPTIONS of the server's pod must not reach a plugin.
      execArgvExtension: "none",
    }),
  );
  execFileSync(process.execPath, [...runtimeFlags, "--build-sea", configuration], {
    cwd: scratch,
    stdio: ["ignore", "ignore", "pipe"],
  });
  // After the injection, which writes the dynamic section anew.
  const whole = join(scratch, "executable.whole");
  writeFileSync(whole, withRunPath(readFileSync(raw), parts.runPath));
  chmodSync(whole, 0o755);
  renameSync(whole, output);
}

/** Node's executable without what no program of ours asks for: what is left out compresses to nothing in an image. */
function trimmed(node: Buffer): Buffer {
  return trimTypeStripper(trimIcuData(stripSections(node)).executable).executable;
}
