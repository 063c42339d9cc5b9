import { parseJson, PluginError } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { gunzipText } from "../backup-layout/gzip.ts";
import { readTarball } from "../backup-layout/tarball-reader.ts";

/** Reads an object's body to its end and throws `corrupt` where its structure is not what its key promises. */
export async function checkStructure(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  if (key.endsWith(".tar.gz")) return await checkTarball(body);
  const bytes = await collectBody(body, key);
  if (key.endsWith("-logs.gz")) return void (await gunzipText(bytes, key));
  if (key.endsWith(".gz")) return checkJson(await gunzipText(bytes, key), key);
  if (key.endsWith(".json")) checkJson(bytes.toString("utf8"), key);
}

async function checkTarball(body: AsyncIterable<Uint8Array>): Promise<void> {
  await readTarball(body, async ({ path, content }) => {
    if (path.endsWith(".json")) checkJson((await collectBody(content, path)).toString("utf8"), path);
  });
}

function checkJson(text: string, what: string): void {
  try {
    parseJson(text);
  } catch (error) {
    throw new PluginError(`${what} is not JSON: ${String(error)}`, { kind: "corrupt", cause: error });
  }
}
