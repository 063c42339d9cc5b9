import { readdir } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { create } from "@bufbuild/protobuf";
import { methodDefinition, velero } from "@flotilla/sdk/wire";
import type { ObjectRef } from "@flotilla/sdk/plugin";

const { getObject, putObject } = velero.ObjectStore.method;
const plugin = "velero.io/aws";

/** What to begin on a connection before it breaks. */
export interface BrokenCalls {
  readonly gets: readonly ObjectRef[];
  readonly put: ObjectRef;
  readonly putBytes: Uint8Array;
  /** Whether the host reads nothing, so that what the plugin sends is stuck in its socket. */
  readonly isDeaf: boolean;
  readonly breaksAfterMs: number;
}

/** Opens a connection of its own to the plugin process of a workspace, begins calls on it, and breaks it off. */
export async function breakConnection(folder: string, calls: BrokenCalls): Promise<void> {
  const name = (await readdir(folder)).find((file) => file.startsWith("plugin-"));
  if (name === undefined) throw new Error(`no socket of a plugin in ${folder}`);
  const socket = connect(join(folder, name));
  const session = connectHttp2("http://unused", { createConnection: () => socket });
  session.on("error", () => {});
  const request = (path: string) => {
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request(headers).on("error", () => {});
    return calls.isDeaf ? stream : stream.resume();
  };
  const get = methodDefinition(velero.ObjectStore, getObject);
  for (const object of calls.gets)
    request(get.path).end(framed(get.requestSerialize(create(velero.GetObjectRequestSchema, { plugin, ...object }))));
  const put = methodDefinition(velero.ObjectStore, putObject);
  const putting = request(put.path);
  for (let at = 0; at < calls.putBytes.length; at += 16 * 1024) {
    const body = calls.putBytes.subarray(at, at + 16 * 1024);
    putting.write(framed(put.requestSerialize(create(velero.PutObjectRequestSchema, { plugin, ...calls.put, body }))));
  }
  await delay(calls.breaksAfterMs);
  socket.destroy();
  session.destroy();
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
