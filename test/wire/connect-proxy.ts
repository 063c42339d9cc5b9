import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";

/** A CONNECT proxy on loopback. */
export interface ConnectProxy {
  readonly url: string;
  /** Where its clients wanted to go: `host:port`, in order. */
  readonly destinations: readonly string[];
  close(): Promise<void>;
}

/** Starts a proxy that leads every tunnel to one port of loopback, whatever host was asked for. */
export async function startConnectProxy(targetPort: number): Promise<ConnectProxy> {
  const destinations: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => void response.writeHead(405).end());
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  server.on("connect", (request, client, head: Buffer) => {
    destinations.push(request.url ?? "");
    const upstream = connect(targetPort, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    for (const end of [client, upstream]) end.on("error", () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    destinations,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
