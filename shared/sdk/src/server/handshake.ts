import type { Listener } from "./listener.ts";

/** go-plugin's own protocol, and the server's plugin protocol on top of it. */
const coreProtocol = 1;
const appProtocol = 2;

/**
 * The line by which the host finds this process. The last field, a certificate, stays empty: a host that set up no TLS
 * crashes on one. A seventh (multiplexing) is absent: a host that wants it then says so itself.
 */
export function handshakeLine(listener: Pick<Listener, "network" | "address">): string {
  return `${coreProtocol}|${appProtocol}|${listener.network}|${listener.address}|grpc|\n`;
}
