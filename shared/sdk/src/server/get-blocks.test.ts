import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import type { ClientReadableStream } from "@grpc/grpc-js";

import { blockBytes, giveBlock, silentLogger, takeBlock } from "../plugin/index.ts";
import { MemoryObjectStore } from "../testing/memory-object-store.ts";
import { untilSteady } from "../testing/until-steady.ts";
import { methodDefinition, velero } from "../wire/index.ts";
import { CallBounds } from "./call-bounds.ts";
import { getObjectHandler } from "./get-object.ts";
import { addHandlers } from "./handlers.ts";
import { ObjectLocations } from "./object-locations.ts";

/** More than the pool keeps. */
const manyBlocks = 100;
const definition = methodDefinition(velero.ObjectStore, velero.ObjectStore.method.getObject);

/** What the store handed out, in order. */
let handedOut: ArrayBuffer[] = [];
let server: Server;
let client: Client;

before(async () => {
  const context = { log: silentLogger, bounds: new CallBounds(silentLogger) };
  const locations = new ObjectLocations(silentLogger);
  const store = new MemoryObjectStore(["b"]);
  store.getObject = async function* ({ key }) {
    for (let left = Number(key); left > 0; left -= 1) {
      const block = takeBlock().fill(left);
      handedOut.push(block.buffer);
      yield await Promise.resolve(block);
    }
  };
  locations.add("p", { bucket: "b" }, store);
  server = new Server();
  addHandlers(server, [getObjectHandler(locations, context)]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});

after(() => {
  client.close();
  server.forceShutdown();
});

function get(blocks: number): ClientReadableStream<velero.Bytes> {
  handedOut = [];
  return client.makeServerStreamRequest(
    definition.path,
    definition.requestSerialize,
    definition.responseDeserialize,
    create(velero.GetObjectRequestSchema, { plugin: "p", bucket: "b", key: `${blocks}` }),
  );
}

/** The memory of all blocks that would be used again. */
function pooled(): ReadonlySet<ArrayBuffer> {
  const blocks = Array.from({ length: manyBlocks }, takeBlock);
  for (const block of blocks) giveBlock(block);
  return new Set(blocks.map(({ buffer }) => buffer));
}

test("the blocks of a get that was sent whole are used again", async () => {
  let received = 0;

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the library's iterator knows no type
  for await (const message of get(3)) received += (message as velero.Bytes).data.length;

  assert.equal(received, 3 * blockBytes);
  const again = pooled();
  assert.ok(handedOut.every((memory) => again.has(memory)));
});

for (const leave of ["cancel", "destroy"] as const)
  test(`a block that is still being sent when the host leaves (${leave}) is never used again`, async () => {
    const stream = get(2000);
    stream.on("error", () => {});
    await once(stream, "readable");
    stream.read();
    // Until neither the windows nor the socket take any more.
    await untilSteady(() => handedOut.length, 2000);
    const unsent = handedOut.slice(-2);

    if (leave === "cancel") stream.cancel();
    else client.close();
    await delay(200);

    const again = pooled();
    assert.ok(handedOut.length < 2000);
    assert.equal(unsent.filter((memory) => again.has(memory)).length, 0);
  });
