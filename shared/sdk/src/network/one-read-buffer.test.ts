import assert from "node:assert/strict";
import { createServer, get as httpGet } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer as createTlsServer, get as httpsGet } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { loopbackCertificate } from "../testing/loopback-certificate.ts";
import { sampleBytes } from "../testing/streams.ts";
import { AgentPool } from "./agent-pool.ts";
import { createTrust } from "./trust.ts";

const contents = [1, 2, 3, 4, 5].map((seed) => Buffer.from(sampleBytes(3 * 1024 ** 2 + seed, seed)));
const answerContent: RequestListener = (request, response) => {
  response.end(contents[Number(request.url?.slice(1))]);
};

for (const [scheme, server] of [
  ["http", createServer(answerContent)],
  ["https", createTlsServer(loopbackCertificate, answerContent)],
] as const)
  describe(`connections of ${scheme}`, () => {
    const trust = createTrust({ env: {}, extraPems: [loopbackCertificate.cert] });
    const pool = new AgentPool({ env: {}, trust });
    const single = new AgentPool({ env: {}, trust, maxSockets: 1 });

    before(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.listen(0, "127.0.0.1", resolve);
      await promise;
    });
    after(() => {
      pool.destroy();
      single.destroy();
      server.closeAllConnections();
      server.close();
    });

    async function ask(index: number, by = pool): Promise<IncomingMessage> {
      // A listening TCP server has an address of this form.
      const { port } = server.address() as AddressInfo;
      const url = new URL(`${scheme}://127.0.0.1:${port}/${index}`);
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const get = scheme === "https" ? httpsGet : httpGet;
      get(url, { agent: by.agentFor(url) }, resolve).on("error", reject);
      return await promise;
    }

    test("several at once read into the same memory, and each body is whole", async () => {
      const memories = new Set<ArrayBufferLike>();
      const bodies = contents.map(async (_, index) => {
        const answer = await ask(index);
        answer.socket.on("data", (read: Buffer) => void memories.add(read.buffer));
        return await buffer(answer);
      });

      for (const [index, body] of (await Promise.all(bodies)).entries())
        assert.ok(body.equals(contents[index] ?? Buffer.alloc(0)), `body ${index}`);
      assert.equal(memories.size, 1);
    });

    test("a body that waits while others are read is whole", async () => {
      const answer = await ask(0);
      const early: Buffer[] = [];
      // What the connection read stays in the answer's own queue, where slices of that memory would be written over.
      for (const index of [1, 2, 3]) {
        await pause(10);
        const some: unknown = answer.read(1000);
        if (some instanceof Buffer) early.push(some);
        await buffer(await ask(index));
      }

      const body = Buffer.concat([...early, await buffer(answer)]);

      assert.ok(body.equals(contents[0] ?? Buffer.alloc(0)));
    });

    test("one that was read to its end serves the next request", async () => {
      const first = await ask(0, single);
      const { localPort } = first.socket;
      await buffer(first);

      const second = await ask(1, single);

      assert.equal(second.socket.localPort, localPort);
      assert.ok((await buffer(second)).equals(contents[1] ?? Buffer.alloc(0)));
    });
  });
