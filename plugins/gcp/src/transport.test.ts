import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { readText } from "./answers.ts";
import { createTransport } from "./transport.ts";
import type { HttpRequest, Transport } from "./transport.ts";

const { signal } = new AbortController();

async function start(
  t: TestContext,
  listener: RequestListener,
): Promise<{ readonly url: URL; readonly transport: Transport }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const transport = createTransport({ env: {}, caCert: undefined, insecureSkipVerify: false });
  t.after(() => {
    transport.destroy();
    server.closeAllConnections();
    server.close();
  });
  // A TCP server's address is an object.
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), transport };
}

async function exchange(transport: Transport, request: Omit<HttpRequest, "signal">): Promise<string> {
  return await readText(await transport.send({ ...request, signal }));
}

/** A server that ends each connection in the middle of its second request. */
function closingServer(): { readonly listener: RequestListener; readonly count: () => number } {
  const seen = new WeakSet<object>();
  let count = 0;
  return {
    count: () => count,
    listener: (request, response) => {
      count += 1;
      if (seen.has(request.socket)) request.socket.destroy();
      else response.end("answered");
      seen.add(request.socket);
    },
  };
}

test("a request without a body is sent again where its kept connection had been closed", async (t) => {
  const { listener, count } = closingServer();
  const { url, transport } = await start(t, listener);

  assert.equal(await exchange(transport, { method: "GET", url }), "answered");
  assert.equal(await exchange(transport, { method: "GET", url }), "answered");

  assert.equal(count(), 3);
});

test("a request with a body is not: what it left is for its sender to find out", async (t) => {
  const { listener, count } = closingServer();
  const { url, transport } = await start(t, listener);
  await exchange(transport, { method: "GET", url });

  await assert.rejects(exchange(transport, { method: "PUT", url, body: "x" }), {
    code: "ECONNRESET",
    hostname: url.host,
  });

  assert.equal(count(), 2);
});

test("several pieces are one body, whose length is told before it", async (t) => {
  const { url, transport } = await start(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => response.end(`${request.headers["content-length"]} ${Buffer.concat(chunks).toString()}`));
  });

  const body = [Buffer.from("one "), Buffer.from("two")];

  assert.equal(await exchange(transport, { method: "POST", url, body }), "7 one two");
  assert.equal(await exchange(transport, { method: "POST", url }), "0 ");
  assert.equal(await exchange(transport, { method: "GET", url }), "undefined ");
});

test("an answer that does not begin in time is a timeout that names the host", async (t) => {
  const { url, transport } = await start(t, () => {});

  await assert.rejects(exchange(transport, { method: "GET", url, timeoutMs: 50 }), {
    code: "ETIMEDOUT",
    hostname: url.host,
  });
});

test("an answer that comes before the body was read is the answer", async (t) => {
  const { url, transport } = await start(t, (request, response) => {
    response.writeHead(403, { connection: "close" }).end("refused");
    request.resume();
  });

  const answer = await transport.send({ method: "PUT", url, body: Buffer.alloc(8 * 1024 ** 2), signal });

  assert.equal(answer.status, 403);
  assert.equal(await readText(answer), "refused");
});

test("a request that is given up ends with the reason of the one who gave it up", async (t) => {
  const { url, transport } = await start(t, () => {});
  const giving = new AbortController();
  const sending = transport.send({ method: "GET", url, signal: giving.signal });
  const reason = new Error("nobody waits any more");

  giving.abort(reason);

  await assert.rejects(sending, (error) => error === reason);
});
