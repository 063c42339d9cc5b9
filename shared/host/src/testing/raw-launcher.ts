import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How the raw plugin misbehaves; by default it does not. */
export interface RawBehaviour {
  readonly plugins?: readonly { readonly kind: string; readonly name: string }[];
  readonly listedCommand?: string;
  /** Where each Init's configuration is appended as a line. */
  readonly initFile?: string;
  readonly stderr?: readonly string[];
  readonly stdoutFloodBytes?: number;
  readonly ignoresShutdown?: boolean;
  readonly shutdownExitCode?: number;
}

const folders: string[] = [];
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that only this test uses; removed when the test process ends. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "flotilla-host-"));
  folders.push(folder);
  return folder;
}

/** Writes a shell script with an execute bit and answers its path. */
export async function writeScript(directory: string, name: string, body: string): Promise<string> {
  const path = join(directory, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Writes a launcher of the raw plugin. */
export async function writeRawPlugin(directory: string, name: string, behaviour: RawBehaviour = {}): Promise<string> {
  const program = join(import.meta.dirname, "raw-plugin.ts");
  return await writeScript(
    directory,
    name,
    `RAW_COMMAND="$0" RAW_PLUGIN=${quoted(JSON.stringify(behaviour))} exec ${quoted(process.execPath)} ${quoted(program)}`,
  );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
