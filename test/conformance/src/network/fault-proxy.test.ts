import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { startFaultProxy } from "./fault-proxy.ts";
import type { ProxyFaults } from "./fault-proxy.ts";

const payload = randomBytes(3 * 1024 ** 2);
// Answers a GET with the payload and everything else with what it received.
const server = createServer((request, response) => {
  const received: Buffer[] = [];
  request.on("data", (chunk: Buffer) => received.push(chunk));
  request.on("end", () => response.end(request.method === "GET" ? payload : Buffer.concat(received)));
});
await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
const { port: targetPort } = server.address() as AddressInfo;
after(() => {
  server.closeAllConnections();
  server.close();
});

async function throughProxy<T>(faults: ProxyFaults, use: (url: string) => Promise<T>): Promise<T> {
  const proxy = await startFaultProxy({ targetPort, ...faults });
  try {
    return await use(proxy.url);
  } finally {
    await proxy.close();
  }
}

async function get(url: string): Promise<Buffer> {
  const response = await fetch(url, { headers: { connection: "close" } });
  return Buffer.from(await response.arrayBuffer());
}

async function echo(url: string, body: Buffer<ArrayBuffer>): Promise<Buffer> {
  const response = await fetch(url, { method: "PUT", body, headers: { connection: "close" } });
  return Buffer.from(await response.arrayBuffer());
}

describe("fault proxy", { concurrency: true }, () => {
  test("a cut on the way back breaks the answer", async () => {
    await assert.rejects(throughProxy({ cut: { direction: "down", afterBytes: 1_000_000 } }, get));
  });

  test("a cut on the way up breaks the request", async () => {
    const faults = { cut: { direction: "up", afterBytes: 100_000 } } as const;

    await assert.rejects(throughProxy(faults, (url) => echo(url, Buffer.alloc(1024 ** 2))));
  });

  test("a stall lets neither an answer nor an end through", async () => {
    const faults = { stall: { direction: "down", afterBytes: 1000 } } as const;

    const outcome = await throughProxy(faults, (url) =>
      Promise.race([
        get(url).then(
          () => "answered",
          () => "failed",
        ),
        delay(300, "still waiting"),
      ]),
    );

    assert.equal(outcome, "still waiting");
  });

  test("exactly one byte is changed", async () => {
    const faults = { corrupt: { direction: "down", atByte: 2_000_000 } } as const;

    const received = await throughProxy(faults, get);

    const changed = payload.filter((byte, index) => byte !== received[index]);
    assert.deepEqual([received.length, changed.length], [payload.length, 1]);
  });

  test("a limit of connections leaves later ones alone", async () => {
    const proxy = await startFaultProxy({ targetPort });
    proxy.set({ cut: { direction: "down", afterBytes: 10 } }, 1);

    const first = await get(proxy.url).catch(() => "cut");
    const second = await get(proxy.url);
    await proxy.close();

    assert.equal(first, "cut");
    assert.deepEqual(second, payload);
  });

  test("without faults the bytes pass unchanged in both directions", async () => {
    const body = randomBytes(5 * 1024 ** 2);

    const received = await throughProxy({}, (url) => echo(url, body));

    assert.deepEqual(received, body);
  });

  test("delays of both directions add up to the round trip", async () => {
    const started = performance.now();

    await throughProxy({ upDelayMs: 60, downDelayMs: 40 }, get);

    // Timers ring up to a millisecond early.
    assert.ok(performance.now() - started >= 98);
  });

  test("the bandwidth of a connection is bounded", async () => {
    const started = performance.now();

    const received = await throughProxy({ bytesPerSecond: 6 * 1024 ** 2 }, get);

    const seconds = (performance.now() - started) / 1000;
    assert.deepEqual(received, payload);
    assert.ok(seconds > 0.45, `took ${seconds} s`);
  });
});
