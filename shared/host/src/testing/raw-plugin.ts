/**
 * A plugin written against @grpc/grpc-js alone, which misbehaves on demand: what a well-made plugin cannot show a host.
 * Behaviour comes as JSON in RAW_PLUGIN; a key that starts with `crash` ends the process in the middle of the call.
 */
import { appendFileSync, mkdtempSync } from "node:fs";
import { join } from "node:path";

import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { goPlugin, serviceDefinition, StatusSchema, velero } from "@flotilla/sdk/wire";
import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { sendUnaryData, ServerReadableStream, ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";

import type { RawBehaviour } from "./raw-launcher.ts";

// Written by raw-launcher.ts, the other half of this program.
const behaviour = JSON.parse(process.env["RAW_PLUGIN"] ?? "{}") as RawBehaviour;
const objects = new Map<string, Buffer>();
const empty = create(velero.EmptySchema);

type Unary<I, O> = (call: ServerUnaryCall<I, O>, done: sendUnaryData<O>) => void;

const listPlugins: Unary<velero.Empty, velero.ListPluginsResponse> = (_call, done) => {
  const command = behaviour.listedCommand ?? process.env["RAW_COMMAND"] ?? "";
  const plugins = (behaviour.plugins ?? [{ kind: "ObjectStore", name: "example.com/raw" }]).map((plugin) => ({
    ...plugin,
    command,
  }));
  done(null, create(velero.ListPluginsResponseSchema, { plugins }));
};

const init: Unary<velero.ObjectStoreInitRequest, velero.Empty> = ({ request }, done) => {
  if (behaviour.initFile !== undefined) appendFileSync(behaviour.initFile, `${JSON.stringify(request.config)}\n`);
  done(null, empty);
};

function putObject(
  call: ServerReadableStream<velero.PutObjectRequest, velero.Empty>,
  done: sendUnaryData<velero.Empty>,
): void {
  const bodies: Uint8Array[] = [];
  let key = "";
  call.on("data", (message: velero.PutObjectRequest) => {
    key ||= message.key;
    bodies.push(message.body);
    if (key.startsWith("crash")) process.kill(process.pid, "SIGKILL");
  });
  call.on("end", () => {
    // A cancelled stream ends like a whole one; that it was cancelled is known a moment later.
    setTimeout(() => {
      if (!call.cancelled) objects.set(key, Buffer.concat(bodies));
      done(null, empty);
    }, 50);
  });
}

function getObject(call: ServerWritableStream<velero.GetObjectRequest, velero.Bytes>): void {
  const data = objects.get(call.request.key);
  if (data === undefined) {
    call.emit("error", withStack(status.NOT_FOUND, `object "${call.request.key}" not found`));
    return;
  }
  for (let start = 0; start < data.length; start += 65_536) {
    call.write(create(velero.BytesSchema, { data: data.subarray(start, start + 65_536) }));
  }
  call.end();
}

const objectExists: Unary<velero.ObjectExistsRequest, velero.ObjectExistsResponse> = ({ request }, done) => {
  if (request.key.startsWith("crash")) {
    process.stderr.write(`{"@level":"error","@message":"about to fall over"}\n`);
    setTimeout(() => process.exit(3), 50);
    return;
  }
  if (request.key.startsWith("fade")) {
    // As a process whose memory the system is slow to take back: its sockets go first.
    server.forceShutdown();
    setTimeout(() => process.exit(3), 2500);
    return;
  }
  if (request.key.startsWith("hang")) return;
  done(null, create(velero.ObjectExistsResponseSchema, { exists: objects.has(request.key) }));
};

const shutdown: Unary<goPlugin.Empty, goPlugin.Empty> = (_call, done) => {
  done(null, create(goPlugin.EmptySchema));
  if (behaviour.ignoresShutdown !== true) setTimeout(() => process.exit(behaviour.shutdownExitCode ?? 0), 10);
};

function withStack(code: status, details: string): { code: status; details: string; metadata: Metadata } {
  const stack = create(velero.StackSchema, { frames: [{ file: "raw-plugin.ts", line: 7, function: "getObject" }] });
  const packed = create(StatusSchema, { code, message: details, details: [anyPack(velero.StackSchema, stack)] });
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, packed)));
  return { code, details, metadata };
}

const server = new Server({ "grpc.max_receive_message_length": -1 });
server.addService(serviceDefinition(velero.PluginLister), { ListPlugins: listPlugins });
server.addService(serviceDefinition(velero.ObjectStore), {
  Init: init,
  PutObject: putObject,
  GetObject: getObject,
  ObjectExists: objectExists,
});
server.addService(serviceDefinition(goPlugin.GRPCController), { Shutdown: shutdown });

const address = join(mkdtempSync(`${process.env["RAW_COMMAND"] ?? ""}-`), "socket");
server.bindAsync(`unix:${address}`, ServerCredentials.createInsecure(), () => {
  process.stdout.write(`1|2|unix|${address}|grpc|\n`);
  process.stderr.write((behaviour.stderr ?? []).map((line) => `${line}\n`).join(""));
  process.stdout.write("x".repeat(behaviour.stdoutFloodBytes ?? 0));
});
