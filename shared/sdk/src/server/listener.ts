import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, chownSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { ListenOptions, Server } from "node:net";

import { PluginError } from "../plugin/index.ts";

/** Where the host finds this process. */
export interface Listener {
  readonly server: Server;
  readonly network: "unix" | "tcp";
  readonly address: string;
  /** Removes what is left in the file system. Safe to call at any time, also twice. */
  remove(): void;
}

/** The longest path that fits into a socket address (sun_path without its closing zero). */
const maxSocketPathBytes = 107;
const portAttempts = 200;

/**
 * Starts to listen where the host can dial: on a unix socket in the folder that it names, or on a loopback port of its
 * range where no socket can be made there. Connections are accepted once this resolves. The socket stays until the end,
 * since the server dials it again after an idle half hour.
 */
export async function listen(env: Readonly<Record<string, string | undefined>>): Promise<Listener> {
  const folder = nonEmpty(env["PLUGIN_UNIX_SOCKET_DIR"]) ?? nonEmpty(env["TMPDIR"]) ?? "/tmp";
  const path = join(folder, `plugin-${process.pid}-${randomBytes(4).toString("hex")}`);
  const server = createServer();
  if (Buffer.byteLength(path) > maxSocketPathBytes || !(await canListen(server, { path })))
    return await listenOnLoopback(server, env);
  // Requests carry credentials: nobody but the host's own user (or the group that it names) may connect.
  setAccess(path, nonEmpty(env["PLUGIN_UNIX_SOCKET_GROUP"]));
  return {
    server,
    network: "unix",
    address: path,
    remove: () => {
      rmSync(path, { force: true });
    },
  };
}

async function listenOnLoopback(server: Server, env: Readonly<Record<string, string | undefined>>): Promise<Listener> {
  const first = Number(env["PLUGIN_MIN_PORT"] ?? 0);
  const last = Number(env["PLUGIN_MAX_PORT"] ?? 0);
  const isRange = Number.isInteger(first) && Number.isInteger(last) && first > 0 && last >= first && last < 65_536;
  // Several plugin processes start at once: each begins somewhere else in the range instead of racing for its start.
  const offset = isRange ? randomInt(last - first + 1) : 0;
  for (let attempt = 0; attempt < portAttempts; attempt += 1) {
    const port = isRange ? first + ((offset + attempt) % (last - first + 1)) : 0;
    if (!(await canListen(server, { host: "127.0.0.1", port }))) continue;
    const bound = server.address();
    if (bound === null || typeof bound === "string") break;
    return { server, network: "tcp", address: `127.0.0.1:${bound.port}`, remove: () => {} };
  }
  throw new PluginError(
    `listen for the host: neither a unix socket in TMPDIR nor a free port of 127.0.0.1 from ${first} to ${last}; make TMPDIR a writable folder`,
    { kind: "unavailable" },
  );
}

async function canListen(server: Server, options: ListenOptions): Promise<boolean> {
  return await new Promise((resolve) => {
    const settle = (hasSucceeded: boolean): void => {
      server.removeAllListeners("error").removeAllListeners("listening");
      resolve(hasSucceeded);
    };
    server.once("error", () => {
      settle(false);
    });
    server.once("listening", () => {
      settle(true);
    });
    server.listen(options);
  });
}

function setAccess(path: string, group: string | undefined): void {
  if (group === undefined) {
    chmodSync(path, 0o600);
    return;
  }
  chownSync(path, -1, groupId(group));
  chmodSync(path, 0o660);
}

function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith(`${group}:`));
  if (line === undefined)
    throw new PluginError(`PLUGIN_UNIX_SOCKET_GROUP=${group} is no group of this system`, { kind: "invalid-config" });
  return Number(line.split(":")[2]);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
