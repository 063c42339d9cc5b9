import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { createServer } from "node:net";
import { test } from "node:test";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { AddressInfo } from "node:net";
import type { ServerOptions } from "@grpc/grpc-js";

import { withWideWindows } from "./flow-control.ts";

interface Windows {
  readonly streamBytes: number | undefined;
  readonly connectionBytes: number | undefined;
}

test("the server offers 1 MiB for a stream and 4 MiB for the connection", async () => {
  const windows = await offeredWindows({}, withWideWindows);

  assert.deepEqual(windows, { streamBytes: 1024 * 1024, connectionBytes: 4 * 1024 * 1024 });
});

test("@grpc/grpc-js still ignores its own option on the server; once this fails, delete flow-control.ts and use it", async () => {
  const withoutOption = await offeredWindows({}, (build) => build());
  const withOption = await offeredWindows({ "grpc-node.flow_control_window": 1024 * 1024 }, (build) => build());

  assert.deepEqual(withOption, withoutOption);
});

test("other HTTP/2 servers of the process are left alone", () => {
  const before = http2.createServer;

  withWideWindows(() => {});

  assert.equal(http2.createServer, before);
});

/** What a client sees of the windows of a gRPC server. */
async function offeredWindows(options: ServerOptions, build: <T>(build: () => T) => T): Promise<Windows> {
  const grpc = new Server(options);
  const injector = build(() => grpc.createConnectionInjector(ServerCredentials.createInsecure()));
  const listener = createServer((socket) => {
    injector.injectConnection(socket);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  // A TCP listener's address is never a string or null.
  const { port } = listener.address() as AddressInfo;
  const session = http2.connect(`http://127.0.0.1:${port}`);
  await once(session, "remoteSettings");
  // The connection's window comes in a frame after the settings; the answer to a ping comes after both.
  await new Promise((resolve) => session.ping(resolve));
  const windows = {
    streamBytes: session.remoteSettings.initialWindowSize,
    connectionBytes: session.state.remoteWindowSize,
  };
  session.destroy();
  listener.close();
  grpc.forceShutdown();
  return windows;
}
