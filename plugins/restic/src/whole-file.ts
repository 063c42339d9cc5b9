import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Writes a small file under its name as a whole, or not at all: what is kept so is worth no failure. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const scratch = join(dirname(path), `.${randomUUID()}`);
  try {
    await writeFile(scratch, text, { mode: 0o600 });
    await rename(scratch, path);
  } catch {
    await rm(scratch, { force: true }).catch(() => {});
  }
}
