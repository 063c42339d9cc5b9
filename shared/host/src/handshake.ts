import { PluginError } from "@flotilla/sdk/plugin";

/** Where a started plugin listens. */
export interface Handshake {
  readonly network: "unix" | "tcp";
  readonly address: string;
}

const coreProtocol = "1";
const appProtocol = "2";
// A longer sixth field is read as a certificate, which crashes the server: it configures no TLS.
const longestHarmlessCertificate = 50;

/** Reads the first line of a plugin's stdout: `1|2|unix|/tmp/plugin123|grpc|`. */
export function parseHandshake(line: string): Handshake {
  const [core, app, network, address, protocol = "netrpc", certificate = ""] = line.trim().split("|");
  if (core === undefined || app === undefined || network === undefined || address === undefined) {
    throw fault(
      `Unrecognized remote plugin message: ${JSON.stringify(shortened(line))}; ` +
        "the file is no plugin, or was built for another platform, or wrote to stdout before its handshake",
    );
  }
  if (core !== coreProtocol) throw fault(`it speaks core protocol ${core}, and the server ${coreProtocol}`);
  if (app !== appProtocol) throw fault(`it speaks plugin protocol ${app}, and the server ${appProtocol}`);
  if (protocol !== "grpc")
    throw fault(`unsupported plugin protocol ${JSON.stringify(protocol)}; only grpc is supported`);
  if (certificate.length > longestHarmlessCertificate) throw fault("it demands TLS, which the server does not offer");
  if (network !== "unix" && network !== "tcp") throw fault(`unknown address type ${JSON.stringify(network)}`);
  return { network, address };
}

/** The name that @grpc/grpc-js dials. */
export function dialTarget(handshake: Handshake): string {
  return handshake.network === "unix" ? `unix:${handshake.address}` : handshake.address;
}

function fault(message: string): PluginError {
  return new PluginError(message, { kind: "internal" });
}

function shortened(line: string): string {
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
