import assert from "node:assert/strict";
import { Agent, createServer, get } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { sampleBytes } from "../testing/index.ts";
import { freeReadBuffers } from "./read-buffers.ts";

const content = Buffer.from(sampleBytes(4 * 1024 ** 2));
const server = createServer((_, response) => void response.end(content));
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

before(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
});
after(() => {
  agent.destroy();
  server.closeAllConnections();
  server.close();
});

async function ask(): Promise<IncomingMessage> {
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get({ host: "127.0.0.1", port, agent }, resolve).on("error", reject);
  return await promise;
}

test("what a connection read is freed while the body goes on, and the body is whole", async () => {
  const answer = await ask();
  const { socket } = answer;
  const reads: Uint8Array[] = [];
  const onData = (chunk: Uint8Array): void => void reads.push(chunk);
  socket.on("data", onData);
  const leave = freeReadBuffers(answer);

  const body = await buffer(answer);
  leave();
  socket.off("data", onData);

  // The last one stays, and so do those that Node did not fill to their end.
  const freed = reads.filter(({ byteLength }) => byteLength === 0).length;
  assert.ok(body.equals(content));
  assert.ok(freed > 10 && freed > reads.length / 2, `${freed} of ${reads.length}`);
});

test("a body that waits while the connection reads on is whole", async () => {
  const answer = await ask();
  const leave = freeReadBuffers(answer);
  const early: Buffer[] = [];
  // It stays in the answer's own queue, where a parser that hands out slices would leave what is freed.
  for (let round = 0; round < 5; round += 1) {
    await pause(10);
    const some: unknown = answer.read(1000);
    if (some instanceof Buffer) early.push(some);
  }

  const body = Buffer.concat([...early, await buffer(answer)]);
  leave();

  assert.ok(body.equals(content));
});

test("a connection that is used again is left as it was", async () => {
  for (let round = 0; round < 3; round += 1) {
    const answer = await ask();
    const { socket } = answer;
    const before = socket.listenerCount("data");

    const leave = freeReadBuffers(answer);
    assert.ok((await buffer(answer)).equals(content));
    leave();

    assert.equal(before, 1);
    assert.equal(socket.listenerCount("data"), 0);
  }
});

test("a source without a connection is left alone", async () => {
  const source = Readable.from([Buffer.from("bytes")]);

  freeReadBuffers(source)();

  assert.equal(String(await buffer(source)), "bytes");
});
