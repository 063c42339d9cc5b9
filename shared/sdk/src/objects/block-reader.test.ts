import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get } from "node:http";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { blockBytes, isBlock } from "../plugin/index.ts";
import { collect, sampleBytes, settle, TestClock } from "../testing/index.ts";
import { patienceMs, readBlocks } from "./block-reader.ts";

/** A source that is fed by hand. */
function source(): Readable {
  return new Readable({ read: () => {} });
}

async function first(blocks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  for await (const block of blocks) return [block];
  return [];
}

for (const sizeBytes of [0, 1, blockBytes - 1, blockBytes, blockBytes + 1, 3 * blockBytes])
  for (const chunkBytes of [1000, 16 * 1024, blockBytes, 2 * blockBytes + 7])
    test(`${sizeBytes} bytes in chunks of ${chunkBytes} arrive as whole blocks`, async () => {
      const bytes = sampleBytes(sizeBytes);
      const chunks = Array.from({ length: Math.ceil(sizeBytes / chunkBytes) }, (_, index) =>
        Buffer.from(bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes)),
      );
      const blocks: Uint8Array[] = [];

      for await (const block of readBlocks(Readable.from(chunks, { objectMode: false }))) blocks.push(block);

      assert.ok(Buffer.concat(blocks).equals(bytes));
      assert.ok(blocks.every(isBlock));
      assert.ok(blocks.slice(0, -1).every(({ byteLength }) => byteLength === blockBytes));
    });

test("what arrived before a cut is handed out before the error, which is translated", async () => {
  const body = source();
  const reader = readBlocks(body, { translate: (error) => new Error("translated", { cause: error }) });
  const iterator = reader[Symbol.asyncIterator]();
  body.push(Buffer.from("so far"));
  await settle();
  body.destroy(new Error("cut"));

  const first = await iterator.next();

  assert.equal(String(first.value), "so far");
  await assert.rejects(iterator.next(), { message: "translated", cause: new Error("cut") });
  assert.equal((await iterator.next()).done, true);
});

test("a source that ends without saying so fails", async () => {
  const body = source();
  const reading = collect(readBlocks(body));
  body.destroy();

  await assert.rejects(reading, { code: "ERR_STREAM_PREMATURE_CLOSE" });
});

test("a slow source's bytes are handed out after a while, and then as they come", async () => {
  const clock = new TestClock();
  const body = source();
  const iterator = readBlocks(body, { clock })[Symbol.asyncIterator]();
  const first = iterator.next();
  body.push(Buffer.from("slow"));
  await settle();

  await clock.advance(patienceMs);
  assert.equal(String((await first).value), "slow");

  const second = iterator.next();
  await clock.advance(patienceMs);
  await settle();
  body.push(Buffer.from("slower"));
  assert.equal(String((await second).value), "slower");
  await iterator.return?.();
  assert.equal(clock.pending, 0);
});

test("a reader that pauses makes the source pause after a few blocks", async () => {
  let produced = 0;
  const body = new Readable({
    highWaterMark: 64 * 1024,
    read(size) {
      produced += size;
      this.push(Buffer.alloc(size));
    },
  });
  const iterator = readBlocks(body)[Symbol.asyncIterator]();

  await iterator.next();
  await settle();
  const before = produced;
  await settle();

  assert.equal(produced, before);
  assert.ok(produced <= 6 * blockBytes, `${produced} bytes`);
  await iterator.return?.();
});

test("leaving early destroys the source, also while a block is waited for", async () => {
  const left = source();
  left.push(Buffer.alloc(2 * blockBytes));
  const [block] = await first(readBlocks(left));
  assert.equal(block?.byteLength, blockBytes);
  assert.equal(left.destroyed, true);

  const silent = source();
  const iterator = readBlocks(silent)[Symbol.asyncIterator]();
  const waiting = iterator.next();
  await iterator.return?.();

  assert.equal((await waiting).done, true);
  assert.equal(silent.destroyed, true);
});

const bytes = sampleBytes(5 * blockBytes + 123);
const server = createServer((request, response) => {
  if (request.url === "/chunked")
    for (let at = 0; at < bytes.length; at += 40_000) response.write(bytes.subarray(at, at + 40_000));
  else if (request.url === "/cut") {
    // Once the system has them all: what Node still holds is lost with the connection.
    const cut = (): void => void response.destroy();
    response.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, 300_000), cut);
  } else response.writeHead(200, { "content-length": bytes.length }).write(bytes);
  if (request.url !== "/cut") response.end();
});
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function answerOf(path: string): Promise<IncomingMessage> {
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  const [answer] = (await once(get({ host: "127.0.0.1", port, path }), "response")) as [IncomingMessage];
  return answer;
}

for (const path of ["/whole", "/chunked"])
  test(`an HTTP body sent ${path.slice(1)} arrives byte by byte the same`, async () => {
    for (let round = 0; round < 5; round += 1)
      assert.ok((await collect(readBlocks(await answerOf(path)))).equals(bytes));
  });

test("an HTTP body that is cut fails after what arrived", async () => {
  const sizes: number[] = [];

  const reading = (async () => {
    for await (const block of readBlocks(await answerOf("/cut"))) sizes.push(block.byteLength);
  })();

  await assert.rejects(reading, { code: "ECONNRESET" });
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    300_000,
  );
});
