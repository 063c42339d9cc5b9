import { parseJson, PluginError } from "@flotilla/sdk/plugin";

import { collectBody } from "../backup-layout/collect-body.ts";
import { gunzipText } from "../backup-layout/gzip.ts";
import { readTarball } from "../backup-layout/tarball-reader.ts";
import { GzipCheck } from "../copy/gzip-check.ts";

/** Reads an object's body to its end and throws `corrupt` where its structure is not what its key promises. */
export async function checkStructure(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  if (key.endsWith(".tar.gz")) return await checkTarball(body);
  // A log may be larger than the memory, and than the longest text.
  if (key.endsWith("-logs.gz")) return await checkGzip(key, body);
  if (!/\.(gz|json)$/.test(key)) {
    for await (const chunk of body) void chunk;
    return;
  }
  const bytes = await collectBody(body, key);
  if (key.endsWith(".gz")) return checkJson(await gunzipText(bytes, key), key);
  checkJson(bytes.toString("utf8"), key);
}

async function checkGzip(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const check = new GzipCheck();
  try {
    const broken = (error: unknown): never => {
      throw new PluginError(`${key} is not whole gzip data: ${String(error)}`, { kind: "corrupt", cause: error });
    };
    for await (const chunk of body) await check.update(chunk).catch(broken);
    await check.finish().catch(broken);
  } finally {
    check.close();
  }
}

async function checkTarball(body: AsyncIterable<Uint8Array>): Promise<void> {
  let isVeleroTarball = false;
  await readTarball(body, async ({ path, content }) => {
    isVeleroTarball ||= path === "metadata/version";
    if (path.endsWith(".json")) checkJson((await collectBody(content, path)).toString("utf8"), path);
  });
  // An empty one is whole, too, and restores nothing.
  if (!isVeleroTarball)
    throw new PluginError("the tarball holds no metadata/version: it is not the contents of a Velero backup", {
      kind: "corrupt",
    });
}

function checkJson(text: string, what: string): void {
  try {
    parseJson(text);
  } catch (error) {
    throw new PluginError(`${what} is not JSON: ${String(error)}`, { kind: "corrupt", cause: error });
  }
}
