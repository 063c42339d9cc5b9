import { PluginError } from "@flotilla/sdk/plugin";

/** Reads a body whole; one that is larger than the bound is refused rather than filling the memory. */
export async function collectBody(
  body: AsyncIterable<Uint8Array>,
  what: string,
  maxBytes = 256 * 1024 * 1024,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new PluginError(`${what} is larger than the ${maxBytes} bytes that are read at once`, {
        kind: "unsupported",
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
