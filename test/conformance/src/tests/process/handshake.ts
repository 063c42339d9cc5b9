import { once } from "node:events";
import { createConnection } from "node:net";
import { isAbsolute } from "node:path";

import { expect, expectEqual, fail } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { firstLineOf, startRaw } from "./raw-process.ts";

/** A longer sixth field is read as a certificate. */
const longestHarmlessField = 50;
/** What fits into a socket's address, without its closing zero. */
const longestSocketPath = 107;

/** The one line on stdout. */
export const handshakeTests: readonly ConformanceTest[] = [
  {
    id: "process/handshake/line",
    title: "the first line on stdout is go-plugin's handshake for protocol 2 over gRPC",
    rule: "handshake-line",
    run: async (t) => {
      const line = await firstLineOf(await startRaw(t));

      const [core, app, network = "", address, protocol] = line.split("|");
      expectEqual([core, app, protocol], ["1", "2", "grpc"], `core, app and wire protocol of ${line}`);
      expect(["unix", "tcp"].includes(network), `the network of ${line} is neither unix nor tcp`);
      expect(address !== undefined && address !== "", `${line} has no address`);
    },
  },
  {
    id: "process/handshake/no-certificate",
    title: "the handshake offers no certificate, since the server speaks plain text",
    rule: "handshake-line",
    run: async (t) => {
      const line = await firstLineOf(await startRaw(t));

      const certificate = line.split("|")[5] ?? "";
      expect(
        certificate.length <= longestHarmlessField,
        `the sixth field is a certificate of ${certificate.length} characters`,
      );
    },
  },
  {
    id: "process/handshake/address-can-be-dialled",
    title: "the address is an absolute path that fits into a socket's address, or a port of this machine",
    rule: "handshake-line",
    run: async (t) => {
      const { network, address } = await listeningAt(t);

      if (network === "tcp") return expect(/^(127\.|\[::1\]|localhost)/.test(address), `${address} is not local`);
      expect(isAbsolute(address), `${address} is no absolute path`);
      expect(Buffer.byteLength(address) <= longestSocketPath, `${address} is longer than ${longestSocketPath} bytes`);
    },
  },
  {
    id: "process/handshake/accepts-at-once",
    title: "a connection that is made as soon as the line is there is accepted",
    rule: "accepts-at-once",
    run: async (t) => {
      for (let start = 0; start < 3; start += 1) {
        const { network, address } = await listeningAt(t);
        const [, host = "", port = ""] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
        const socket = network === "unix" ? createConnection(address) : createConnection(Number(port), host);
        await once(socket, "connect").catch((error: unknown) => fail(`dialling ${address}: ${String(error)}`));
        socket.destroy();
      }
    },
  },
];

async function listeningAt(t: TestContext): Promise<{ readonly network: string; readonly address: string }> {
  const [, , network = "", address = ""] = (await firstLineOf(await startRaw(t))).split("|");
  return { network, address };
}
