import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";

/** A server of a repository. */
export interface RestServer {
  /** As restic is given it. */
  readonly repository: string;
  close(): Promise<void>;
}

/** How a store differs from rest-server. */
export interface RestServerOptions {
  /** As object stores do, where rest-server refuses. */
  readonly overwrites?: boolean;
  /** As with --append-only: only locks can be removed. */
  readonly appendOnly?: boolean;
}

/** Serves a folder as restic's documentation of its REST backend says, version 2. */
export async function startRestServer(folder: string, options: RestServerOptions = {}): Promise<RestServer> {
  const server = createServer((request, response) => {
    answer(folder, options, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    repository: `rest:http://127.0.0.1:${address.port}/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

async function answer(
  folder: string,
  { overwrites = false, appendOnly = false }: RestServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method, url = "" } = request;
  if (method === "POST" && url === "/?create=true") return void response.end();
  const path = join(folder, url);
  if (/^\/(?:data|keys|locks|snapshots|index)\/$/.test(url)) return await list(path, response);
  if (!/^\/(?:config|(?:data|keys|locks|snapshots|index)\/[0-9a-f]{64})$/.test(url))
    return void response.writeHead(400).end();
  const found = await stat(path).catch(() => undefined);
  if (method === "POST") return await store(path, found !== undefined && !overwrites, request, response);
  if (found === undefined) return void response.writeHead(404).end();
  if (method === "HEAD") return void response.setHeader("Content-Length", found.size).end();
  if (method === "GET") return await send(path, found.size, request, response);
  await remove(path, appendOnly && !url.startsWith("/locks/"), response);
}

async function remove(path: string, isKept: boolean, response: ServerResponse): Promise<void> {
  if (isKept) return void response.writeHead(403).end("Forbidden\n");
  // Another client may have removed it since.
  await rm(path, { force: true });
  response.end();
}

async function send(path: string, size: number, { headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(last ? Number(last) : Infinity, size - 1);
  response.writeHead(first === undefined ? 200 : 206, { "Content-Length": end - start + 1 });
  await pipeline(createReadStream(path, { start, end }), response);
}

async function list(path: string, response: ServerResponse): Promise<void> {
  const names = await readdir(path).catch(() => []);
  const files = await Promise.all(
    names.map(async (name) => {
      const size = await stat(join(path, name)).then(
        (found) => found.size,
        () => undefined,
      );
      // A lock may be gone again.
      return size === undefined ? [] : [{ name, size }];
    }),
  );
  response.setHeader("Content-Type", "application/vnd.x.restic.rest.v2").end(JSON.stringify(files.flat()));
}

/** Whole under its name or not at all. */
async function store(
  path: string,
  isRefused: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isRefused) return void response.writeHead(403).end();
  await mkdir(dirname(path), { recursive: true });
  const scratch = `${dirname(dirname(path))}/upload-${basename(path)}-${randomUUID()}`;
  await pipeline(request, createWriteStream(scratch));
  await rename(scratch, path);
  response.end();
}
