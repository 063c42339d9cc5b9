import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { silentLogger } from "@flotilla/sdk/plugin";
import type { ObjectStore } from "@flotilla/sdk/plugin";

const secret = randomBytes(32);
const call = { signal: new AbortController().signal, log: silentLogger };

/** The example with URLs: a server in the plugin's own process, which ends with it. */
export function signing(store: ObjectStore, bucket: string): Pick<ObjectStore, "createSignedUrl"> {
  let starting: Promise<string> | undefined;
  return {
    createSignedUrl: async ({ key }, ttlSeconds) => {
      const base = await (starting ??= listen((request, response) =>
        serveObject(store, bucket, request, response).catch(() => void response.writeHead(400).end()),
      ));
      const url = new URL(base + key.split("/").map(encodeURIComponent).join("/"));
      const [scope, expires] = [key, String(Date.now() + ttlSeconds * 1000)];
      url.search = String(new URLSearchParams({ scope, expires, signature: sign(scope, expires) }));
      return url.href;
    },
  };
}

async function listen(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(serve).listen(0, "127.0.0.1");
  await once(server, "listening");
  // A TCP server's address is an object.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function serveObject(
  store: ObjectStore,
  bucket: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = "", query] = (request.url ?? "").slice(1).split("?");
  const key = path.split("/").map(decodeURIComponent).join("/");
  if (request.method !== "GET" || !isSigned(key, new URLSearchParams(query))) return void response.writeHead(403).end();
  if (!(await store.objectExists({ bucket, key }, call))) return void response.writeHead(404).end();
  for await (const chunk of store.getObject({ bucket, key }, call)) response.write(chunk);
  response.end();
}

/** A scope that is a folder opens what lies in it; nobody who means well signs one. */
function isSigned(key: string, query: URLSearchParams): boolean {
  const scope = query.get("scope") ?? "";
  const expires = query.get("expires") ?? "";
  const covers = scope === key || (scope.endsWith("/") && key.startsWith(scope));
  return covers && query.get("signature") === sign(scope, expires) && Date.now() < Number(expires);
}

function sign(scope: string, expires: string): string {
  return createHmac("sha256", secret).update(`${expires} ${scope}`).digest("hex");
}
