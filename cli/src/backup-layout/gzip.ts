import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

import { PluginError } from "@flotilla/sdk/plugin";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** A text, compressed. */
export async function gzipText(text: string): Promise<Uint8Array> {
  return await compress(text);
}

/** What was compressed as text; `corrupt` where it cannot be read. */
export async function gunzipText(bytes: Uint8Array, what: string): Promise<string> {
  try {
    return (await decompress(bytes)).toString("utf8");
  } catch (error) {
    throw new PluginError(`${what} is not whole gzip data: ${String(error)}`, { kind: "corrupt", cause: error });
  }
}
