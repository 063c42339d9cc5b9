import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { UsageError } from "../cli-error.ts";

const marker = ".made-by-flotilla-demo";

/** The folder of one demo run; emptied at the start, and removed at the end unless it shall be kept. */
export class StateFolder implements AsyncDisposable {
  readonly path: string;
  readonly #isKept: boolean;

  private constructor(path: string, isKept: boolean) {
    this.path = path;
    this.#isKept = isKept;
  }

  /** Takes a folder that is absent, empty, or left by a former demo; any other is refused, for it would be emptied. */
  static async take(path: string, { isKept }: { readonly isKept: boolean }): Promise<StateFolder> {
    const names: readonly string[] = await readdir(path).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    });
    if (names.length > 0 && !names.includes(marker)) {
      throw new UsageError(`--state ${path} holds files that no demo made: name an empty folder`);
    }
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
    await writeFile(join(path, marker), "The demo empties this folder at its start.\n");
    return new StateFolder(path, isKept);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isKept) await rm(this.path, { recursive: true, force: true });
  }
}
