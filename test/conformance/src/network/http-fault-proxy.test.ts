import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import { loopbackCertificate } from "@flotilla/sdk/testing";

import { startHttpFaultProxy } from "./http-fault-proxy.ts";
import type { HttpFaultProxy, PassingRequest, Verdict } from "./http-fault-proxy.ts";
import { refusalNames, refusalOf } from "./store-refusals.ts";

const payload = randomBytes(300_000);
const seen: { method: string; path: string; host: string | undefined; bytes: number; isWhole: boolean }[] = [];
// Answers a GET with the payload and everything else with what it received.
const server = createServer((request, response) => {
  const received: Buffer[] = [];
  request.on("data", (chunk: Buffer) => received.push(chunk));
  request.on("close", () => {
    const { method = "", url = "", headers } = request;
    const bytes = received.reduce((sum, chunk) => sum + chunk.length, 0);
    seen.push({ method, path: url, host: headers.host, bytes, isWhole: request.complete });
  });
  request.on("error", () => {});
  request.on("end", () => {
    const body = request.method === "GET" ? payload : Buffer.concat(received);
    const location = `http://${request.headers.host}/next`;
    response.writeHead(200, { "content-length": body.length, Location: location });
    response.end(request.method === "HEAD" ? undefined : body);
  });
});
await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
after(() => {
  server.closeAllConnections();
  server.close();
});

interface Outcome {
  readonly status: number;
  readonly body: Buffer;
}

async function through(
  judge: (request: PassingRequest) => Verdict,
  use: (url: string, proxy: HttpFaultProxy) => Promise<Outcome>,
): Promise<{ readonly outcome: Outcome | "failed"; readonly hits: number }> {
  const proxy = await startHttpFaultProxy({ host: "127.0.0.1", port });
  proxy.judge(judge);
  try {
    const outcome = await use(`http://127.0.0.1:${proxy.port}/object?part=1`, proxy).catch(() => "failed" as const);
    return { outcome, hits: proxy.hits };
  } finally {
    await proxy.close();
  }
}

async function get(url: string): Promise<Outcome> {
  const response = await fetch(url);
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

async function put(url: string): Promise<Outcome> {
  const response = await fetch(url, { method: "PUT", body: payload });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

function differences(received: Buffer): readonly number[] {
  return [...payload.keys()].filter((index) => payload[index] !== received[index]);
}

describe("the HTTP fault proxy", () => {
  for (const [name, use] of [
    ["answer", get],
    ["request", put],
  ] as const)
    test(`the ${name} passes unchanged without a verdict`, async () => {
      const { outcome, hits } = await through(() => undefined, use);

      assert.deepEqual(outcome, { status: 200, body: payload });
      assert.equal(hits, 0);
    });

  test("the store sees the path and the Host header that were sent", async () => {
    const proxy = await startHttpFaultProxy({ host: "127.0.0.1", port });

    await fetch(`http://127.0.0.1:${proxy.port}/a%20b?c=%2F`, { method: "HEAD" });
    await proxy.close();

    const { method, path, host } = seen.at(-1) ?? {};
    assert.deepEqual({ method, path, host }, { method: "HEAD", path: "/a%20b?c=%2F", host: `127.0.0.1:${proxy.port}` });
  });

  test("a store that routes by its host sees itself, and sends the client back through the proxy", async () => {
    const proxy = await startHttpFaultProxy({ host: "127.0.0.1", port, routesByHost: true });

    const response = await fetch(`http://127.0.0.1:${proxy.port}/upload`, { method: "POST", body: "x" });
    await proxy.close();

    assert.equal(seen.at(-1)?.host, `127.0.0.1:${port}`);
    assert.equal(response.headers.get("location"), `http://127.0.0.1:${proxy.port}/next`);
  });

  test("a refused request never reaches the store", async () => {
    const before = seen.length;

    const { outcome, hits } = await through((request) => refusalOf(request, refusalNames.slowDown), put);

    assert.ok(outcome !== "failed");
    assert.equal(outcome.status, 503);
    assert.match(outcome.body.toString(), /<Code>SlowDown<\/Code>/);
    assert.deepEqual([seen.length, hits], [before, 1]);
  });

  test("a judge sees how many requests came before", async () => {
    const { outcome } = await through(
      (request) => (request.index === 0 ? refusalOf(request, refusalNames.internalError) : undefined),
      async (url) => {
        const first = await get(url);
        const second = await get(url);
        return { status: first.status, body: second.body };
      },
    );

    assert.deepEqual(outcome, { status: 500, body: payload });
  });

  for (const at of [0, 150_000, -1])
    test(`an answer that is cut at ${at} fails`, async () => {
      const result = await through(() => ({ kind: "cut", direction: "down", at }), get);

      assert.deepEqual(result, { outcome: "failed", hits: 1 });
    });

  test("an answer that ends early in good order is shorter than its Content-Length", async () => {
    const result = await through(() => ({ kind: "end", direction: "down", at: 1000 }), get);

    assert.deepEqual(result, { outcome: "failed", hits: 1 });
  });

  for (const at of [0, 150_000, -1])
    test(`a request that is cut at ${at} fails and never is whole for the store`, async () => {
      const before = seen.length;

      const result = await through(() => ({ kind: "cut", direction: "up", at }), put);
      await delay(50);

      assert.deepEqual(result, { outcome: "failed", hits: 1 });
      assert.ok(seen.slice(before).every(({ isWhole, bytes }) => !isWhole && bytes < payload.length));
    });

  test("a body that is too short for a fault passes unharmed", async () => {
    const { outcome, hits } = await through(
      () => ({ kind: "cut", direction: "down", at: 0, leastBytes: payload.length + 1 }),
      get,
    );

    assert.deepEqual(outcome, { status: 200, body: payload });
    assert.equal(hits, 0);
  });

  test("the store does its work when only its answer is cut", async () => {
    await through(() => ({ kind: "cut", direction: "down", at: 0 }), put);

    assert.deepEqual(seen.at(-1)?.isWhole, true);
  });

  for (const [at, index] of [
    [0, 0],
    [150_000, 150_000],
    [-1, payload.length - 1],
  ] as const)
    for (const [direction, use] of [
      ["up", put],
      ["down", get],
    ] as const)
      test(`exactly the byte at ${at} of a body going ${direction} is changed`, async () => {
        const { outcome, hits } = await through(() => ({ kind: "corrupt", direction, at }), use);

        assert.ok(outcome !== "failed");
        assert.deepEqual([differences(outcome.body), hits], [[index], 1]);
      });

  for (const [direction, at] of [
    ["up", 0],
    ["up", 1000],
    ["down", 0],
    ["down", 1000],
  ] as const)
    test(`a stall at ${at} of ${direction} lets neither an answer nor an end through`, async () => {
      const outcome = await through(
        () => ({ kind: "stall", direction, at }),
        async (url, proxy) => {
          const settled = put(url).then(
            () => "answered",
            () => "failed",
          );
          while (proxy.hits === 0) await delay(5);
          return { status: 0, body: Buffer.from(await Promise.race([settled, delay(200, "waiting")])) };
        },
      );

      assert.deepEqual(outcome, { outcome: { status: 0, body: Buffer.from("waiting") }, hits: 1 });
    });
});

describe("the HTTP fault proxy before a store over TLS", () => {
  const { cert, key } = loopbackCertificate;
  const secure = createTlsServer({ cert, key }, (_, response) => response.end(payload));
  before(async () => {
    setDefaultCACertificates([...getCACertificates(), cert]);
    await new Promise<void>((resolve) => void secure.listen(0, "127.0.0.1", resolve));
  });
  after(() => {
    secure.closeAllConnections();
    secure.close();
  });

  async function throughTls(verdict: Verdict): Promise<Outcome | "failed"> {
    const address = secure.address() as AddressInfo;
    const proxy = await startHttpFaultProxy({ host: "127.0.0.1", port: address.port, tls: { cert, key } });
    proxy.judge(() => verdict);
    try {
      return await get(`https://127.0.0.1:${proxy.port}/`).catch(() => "failed" as const);
    } finally {
      await proxy.close();
    }
  }

  test("an answer passes unchanged without a verdict", async () => {
    assert.deepEqual(await throughTls(undefined), { status: 200, body: payload });
  });

  for (const direction of ["up", "down"] as const)
    test(`a request whose way ${direction} is cut fails`, async () => {
      assert.equal(await throughTls({ kind: "cut", direction, at: 0 }), "failed");
    });
});

describe("refusals", () => {
  const request = (path: string, headers: PassingRequest["headers"]): PassingRequest => ({
    method: "GET",
    path,
    headers,
    index: 0,
  });

  for (const [api, path, headers, body] of [
    ["S3", "/bucket/key", {}, /^<\?xml.*<Error><Code>SlowDown</],
    ["EC2", "/", { "content-type": "application/x-www-form-urlencoded" }, /<Errors><Error><Code>SlowDown</],
    ["Azure Blob", "/account/container/blob", { "x-ms-version": "2026-06-06" }, /<Error><Code>ServerBusy</],
    ["Azure ARM", "/subscriptions/s/resourceGroups/g", {}, /^\{"error":\{"code":"ServerBusy"/],
    ["GCS", "/upload/storage/v1/b/bucket/o", {}, /"reason":"backendError"/],
    ["GCE", "/compute/v1/projects/p/zones/z/disks/d", {}, /"reason":"backendError"/],
  ] as const)
    test(`speak the words of ${api}`, () => {
      assert.match(refusalOf(request(path, headers), refusalNames.slowDown).body ?? "", body);
    });
});
