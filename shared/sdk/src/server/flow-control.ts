import http2 from "node:http2";

/** How much of one stream may be under way: 64 messages of the server's puts. */
const streamWindowBytes = 1024 * 1024;
/** How much of all streams together may be under way. */
const connectionWindowBytes = 4 * 1024 * 1024;

/**
 * Runs `build` so that the HTTP/2 server that it creates offers wide flow-control windows: puts are more than twice as
 * fast as with HTTP/2's 64 KiB. The server of @grpc/grpc-js ignores its own option `grpc-node.flow_control_window` (its
 * client honours it), and it offers no other way in. The test beside this file fails once it does.
 */
export function withWideWindows<T>(build: () => T): T {
  const original = http2.createServer;
  const widened = (options: http2.ServerOptions): http2.Http2Server => {
    const settings = { ...options.settings, initialWindowSize: streamWindowBytes };
    const server = original({ ...options, settings });
    server.on("session", (session) => {
      session.setLocalWindowSize(connectionWindowBytes);
    });
    return server;
  };
  // Only the form with options is replaced; the library calls no other.
  http2.createServer = widened as typeof original;
  try {
    return build();
  } finally {
    http2.createServer = original;
  }
}
