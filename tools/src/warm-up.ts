import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { PluginSession } from "./plugin-session.ts";

/**
 * What a build lets the plugin do once, so that its executable holds the compiled code of a usual start. A plugin's
 * `src/warm-up.json`; in the values of `config` `{endpoint}` stands for the URL of a server on this machine that always
 * gives `answer`, and `{folder}` for the folder in which `files` are.
 */
export interface WarmUp {
  readonly environment: Readonly<Record<string, string>>;
  /** The texts of files that the configuration names, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** The implementation that is opened and asked for the bucket's common prefixes. */
  readonly objectStore: { readonly name: string; readonly config: Readonly<Record<string, string>> };
  readonly answer: { readonly contentType: string; readonly body: string };
}

/** Reads the text of a `warm-up.json`. */
export function parseWarmUp(text: string): WarmUp {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error("warm-up.json is not an object");
  const { environment, files, objectStore, answer } = value;
  if (!isTexts(environment) || !isRecord(objectStore) || !isTexts(answer))
    throw new Error("warm-up.json needs environment, objectStore and answer");
  if (files !== undefined && !isTexts(files)) throw new Error("warm-up.json has files of another form than texts");
  const { name, config } = objectStore;
  const { contentType, body } = answer;
  if (typeof name !== "string" || !isTexts(config) || contentType === undefined || body === undefined)
    throw new Error("warm-up.json needs objectStore.name and .config, answer.contentType and .body");
  return {
    environment,
    ...(files === undefined ? {} : { files }),
    objectStore: { name, config },
    answer: { contentType, body },
  };
}

/** An existing folder for the files of a warm-up, which a plugin with a root of its own sees under another name. */
export interface WarmUpFolder {
  readonly path: string;
  readonly seenAs?: string;
}

/** Opens the object store and lists once, as the server does each minute to validate a location. */
export async function warmUpPlugin(warmUp: WarmUp, session: PluginSession, folder: WarmUpFolder): Promise<void> {
  for (const [file, text] of Object.entries(warmUp.files ?? {})) writeFileSync(join(folder.path, file), text);
  const server = createServer((_request, response) => {
    response.setHeader("content-type", warmUp.answer.contentType).end(warmUp.answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    // A TCP server's address is an object.
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { name, config } = warmUp.objectStore;
    const located = Object.entries(config).map(([key, value]) => [
      key,
      value.replaceAll("{endpoint}", endpoint).replaceAll("{folder}", folder.seenAs ?? folder.path),
    ]);
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
