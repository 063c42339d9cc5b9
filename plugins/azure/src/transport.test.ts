import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import { createPipelineRequest } from "@azure/core-rest-pipeline";
import { createTransport } from "./transport.ts";

test("a request that has a time of its own is given up after it, as one that may be sent again", async (t) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  assert.ok(typeof address === "object" && address !== null);
  const transport = createTransport({ env: {}, caCert: undefined, insecureSkipVerify: false });
  t.after(() => {
    transport.destroy();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const url = `http://127.0.0.1:${address.port}/`;

  const asked = transport.httpClient.sendRequest(
    createPipelineRequest({ url, timeout: 50, allowInsecureConnection: true }),
  );

  await assert.rejects(asked, { code: "ETIMEDOUT" });
});
