import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { loopbackCertificate } from "@flotilla/sdk/testing";
import type { PluginSession } from "./plugin-session.ts";

/**
 * What a build lets the plugin do once, so that its executable holds the compiled code of a usual start. A plugin's
 * `src/warm-up.json`; in the values of each `config`, in `files` and in the bodies of `answers`, `{endpoint}` and `{secureEndpoint}`
 * stand for the URLs of servers on this machine, `{ca}` for the latter's authority, `{folder}` for that of `files`.
 */
export interface WarmUp {
  readonly environment: Readonly<Record<string, string>>;
  /** The texts of files that the configurations name, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What is opened, one after the other, and asked for its bucket's common prefixes and for an object. */
  readonly objectStores: readonly WarmUpStore[];
  /** What the servers answer: the first whose `path` is in the URL, or that has none. */
  readonly answers: readonly WarmUpAnswer[];
}

interface WarmUpStore {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

interface WarmUpAnswer {
  readonly path?: string;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Of the object that is read. */
const objectKey = "object";

/** Reads the text of a `warm-up.json`. */
export function parseWarmUp(text: string): WarmUp {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error("warm-up.json is not an object");
  const { environment, files, objectStores, answers } = value;
  if (!isTexts(environment) || !Array.isArray(objectStores) || !Array.isArray(answers))
    throw new Error("warm-up.json needs environment, objectStores and answers");
  if (files !== undefined && !isTexts(files)) throw new Error("warm-up.json has files of another form than texts");
  return {
    environment,
    ...(files === undefined ? {} : { files }),
    objectStores: objectStores.map(parseStore),
    answers: answers.map(parseAnswer),
  };
}

/** An existing folder for the files of a warm-up, which a plugin with a root of its own sees under another name. */
export interface WarmUpFolder {
  readonly path: string;
  readonly seenAs?: string;
}

/**
 * Opens each object store and lists once, as the server does each minute to validate a location; then reads an object, as
 * it does of each backup that it finds.
 */
export async function warmUpPlugin(warmUp: WarmUp, session: PluginSession, folder: WarmUpFolder): Promise<void> {
  const texts: Record<string, string> = { ca: loopbackCertificate.cert, folder: folder.seenAs ?? folder.path };
  const fill = (text: string): string => text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => texts[name] ?? whole);
  const listener: RequestListener = (request, response) => {
    const answer = warmUp.answers.find(({ path }) => path === undefined || request.url?.includes(path) === true);
    if (answer === undefined) response.writeHead(500).end();
    else
      response
        .setHeaders(new Map(Object.entries({ "content-type": answer.contentType, ...answer.headers })))
        .end(fill(answer.body));
  };
  const servers = [createServer(listener), createSecureServer(loopbackCertificate, listener)];
  try {
    const [port, securePort] = await Promise.all(servers.map(listen));
    texts["endpoint"] = `http://127.0.0.1:${port}`;
    texts["secureEndpoint"] = `https://127.0.0.1:${securePort}`;
    for (const [file, text] of Object.entries(warmUp.files ?? {})) writeFileSync(join(folder.path, file), fill(text));
    for (const { name, config } of warmUp.objectStores) {
      const filled = Object.entries(config).map(([key, value]) => [key, fill(value)]);
      await session.initObjectStore(name, Object.fromEntries(filled));
      await session.listCommonPrefixes(name, config["bucket"] ?? "");
      await session.getObject(name, config["bucket"] ?? "", objectKey);
    }
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  // A TCP server's address is an object.
  return (server.address() as AddressInfo).port;
}

function parseStore(value: unknown): WarmUpStore {
  if (!isRecord(value) || typeof value["name"] !== "string" || !isTexts(value["config"]))
    throw new Error("warm-up.json needs name and config of each of objectStores");
  return { name: value["name"], config: value["config"] };
}

function parseAnswer(value: unknown): WarmUpAnswer {
  const { headers, ...texts } = isRecord(value) ? value : {};
  if (!isTexts(texts) || texts["contentType"] === undefined || texts["body"] === undefined)
    throw new Error("warm-up.json needs contentType and body of each of answers");
  if (headers !== undefined && !isTexts(headers))
    throw new Error("warm-up.json has headers of another form than texts");
  const { path, contentType, body } = texts;
  return {
    ...(path === undefined ? {} : { path }),
    contentType,
    ...(headers === undefined ? {} : { headers }),
    body,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}
