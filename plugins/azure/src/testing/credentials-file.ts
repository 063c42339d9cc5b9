import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Writes a credentials file that ends with the test, and answers its path. */
export async function writeCredentials(t: TestContext, text: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "azure-credentials-"));
  t.after(async () => await rm(folder, { recursive: true }));
  const path = join(folder, "cloud");
  await writeFile(path, text);
  return path;
}
