import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { PluginSession } from "./plugin-session.ts";

/**
 * What a build lets the plugin do once, so that its executable holds the compiled code of a usual start. A plugin's
 * `src/warm-up.json`; in texts `{endpoint}` stands for the URL of a server on this machine that always gives `answer`.
 */
export interface WarmUp {
  readonly environment: Readonly<Record<string, string>>;
  /** The implementation that is opened and asked for the bucket's common prefixes. */
  readonly objectStore: { readonly name: string; readonly config: Readonly<Record<string, string>> };
  readonly answer: { readonly contentType: string; readonly body: string };
}

/** Reads the text of a `warm-up.json`. */
export function parseWarmUp(text: string): WarmUp {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error("warm-up.json is not an object");
  const { environment, objectStore, answer } = value;
  if (!isTexts(environment) || !isRecord(objectStore) || !isTexts(answer))
    throw new Error("warm-up.json needs environment, objectStore and answer");
  const { name, config } = objectStore;
  const { contentType, body } = answer;
  if (typeof name !== "string" || !isTexts(config) || contentType === undefined || body === undefined)
    throw new Error("warm-up.json needs objectStore.name and .config, answer.contentType and .body");
  return { environment, objectStore: { name, config }, answer: { contentType, body } };
}

/** Opens the object store and lists once, as the server does each minute to validate a location. */
export async function warmUpPlugin(warmUp: WarmUp, session: PluginSession): Promise<void> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", warmUp.answer.contentType).end(warmUp.answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    // A TCP server's address is an object.
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { name, config } = warmUp.objectStore;
    const located = Object.entries(config).map(([key, value]) => [key, value.replaceAll("{endpoint}", endpoint)]);
    await session.initObjectStore(name, Object.fromEntries(located));
    await session.listCommonPrefixes(name, config["bucket"] ?? "");
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}
