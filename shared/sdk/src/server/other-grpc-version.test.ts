import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";

import { silentLogger } from "../plugin/index.ts";
import { MemoryObjectStore } from "../testing/memory-object-store.ts";
import { methodDefinition, velero } from "../wire/index.ts";
import { CallBounds } from "./call-bounds.ts";
import { getObjectHandler } from "./get-object.ts";
import { addHandlers } from "./handlers.ts";
import { ObjectLocations } from "./object-locations.ts";
import { putObjectHandler } from "./put-object.ts";

const get = methodDefinition(velero.ObjectStore, velero.ObjectStore.method.getObject);
const put = methodDefinition(velero.ObjectStore, velero.ObjectStore.method.putObject);
const object = { plugin: "p", bucket: "b", key: "k" };
// The library's own class, which has no types of its own that are public.
const { BaseServerInterceptingCall } = createRequire(import.meta.url)(
  "@grpc/grpc-js/build/src/server-interceptors.js",
) as { readonly BaseServerInterceptingCall: { readonly prototype: object } };

let server: Server;
let client: Client;
before(async () => {
  const context = { log: silentLogger, bounds: new CallBounds(silentLogger) };
  const locations = new ObjectLocations(silentLogger);
  locations.add("p", { bucket: "b" }, new MemoryObjectStore(["b"]));
  server = new Server();
  addHandlers(server, [getObjectHandler(locations, context), putObjectHandler(locations, context)]);
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

async function putOnce(): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stream = client.makeClientStreamRequest(put.path, put.requestSerialize, put.responseDeserialize, (error) =>
      error === null ? resolve() : reject(error),
    );
    stream.end(create(velero.PutObjectRequestSchema, { ...object, body: Buffer.from("body") }));
  });
}

async function getOnce(): Promise<string> {
  const request = create(velero.GetObjectRequestSchema, object);
  const stream = client.makeServerStreamRequest(get.path, get.requestSerialize, get.responseDeserialize, request);
  const messages = await stream.toArray();
  // The library's streams know no type.
  return Buffer.concat(messages.map((message) => (message as velero.Bytes).data)).toString();
}

/** Runs with the library's calls lacking a private method, as another version's might. */
async function without(method: string, run: () => Promise<void>): Promise<void> {
  const original: unknown = Reflect.get(BaseServerInterceptingCall.prototype, method);
  assert.equal(typeof original, "function");
  Reflect.set(BaseServerInterceptingCall.prototype, method, undefined);
  try {
    await run();
  } finally {
    Reflect.set(BaseServerInterceptingCall.prototype, method, original);
  }
}

test("where the library has its methods, a put is got back", async () => {
  await putOnce();

  assert.equal(await getOnce(), "body");
});

test("a get through a library without the method that it replaces fails and names it", async () => {
  await without("serializeMessage", async () => {
    await assert.rejects(getOnce(), { code: status.ABORTED, details: /no "serializeMessage"/ });
  });
});
