import { createServer } from "node:net";
import type { Server } from "node:net";
import { PluginError, systemClock } from "@flotilla/sdk/plugin";

const betweenTriesMs = 200;
const longestTurnMs = 2 * 60_000;

/**
 * Does something that no two processes of this machine, or pod, may do at once. Its mark is a socket without a file,
 * which the system itself takes away when the process ends, however that is. Where there are none (not Linux), all go at
 * once.
 */
export async function inTurn<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const server = process.platform === "linux" ? await listen(`\0flotilla-restic-${name}`, signal) : undefined;
  try {
    return await work();
  } finally {
    server?.close();
  }
}

async function listen(path: string, signal: AbortSignal): Promise<Server> {
  const deadline = systemClock.now() + longestTurnMs;
  for (;;) {
    const server = await tryToListen(path);
    if (server !== undefined) return server;
    if (systemClock.now() > deadline)
      throw new PluginError("another process has been making the repository for minutes; end it, and try again", {
        kind: "unavailable",
      });
    await systemClock.sleep(betweenTriesMs, signal);
  }
}

/** Undefined where another process has the socket. */
async function tryToListen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  server.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") resolve(undefined);
    else reject(error);
  });
  server.listen({ path }, () => resolve(server.unref()));
  return await promise;
}
