import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** Where the checks tell a stand-in what to do while it runs. */
export interface StandInControl {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the commands of a program of stand-ins on loopback: the body of a request is one, the answer what the program
 * says of it. The checks are another process, which has no hold on the program's stdin.
 */
export async function serveControl(tell: (command: string) => Promise<string>): Promise<StandInControl> {
  const server = createServer((request, response) => {
    void text(request)
      .then(tell)
      .then((answer) => response.writeHead("error" in parse(answer) ? 400 : 200).end(answer))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP port was given");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function parse(answer: string): object {
  // The program prints one object a line; see test/emulators/region-commands.ts.
  return JSON.parse(answer) as object;
}
