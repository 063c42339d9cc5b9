import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { connect, createServer, Server as SocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { ListenOptions } from "node:net";

import { create } from "@bufbuild/protobuf";
import { goPlugin } from "@flotilla/sdk/wire";

import { answering, handling, keepStdout, onWrite, without } from "./interpose.ts";
import type { WireMethod, WrapMethod } from "./interpose.ts";
import type { Variant } from "./variant.ts";

const shutdown = "/plugin.GRPCController/Shutdown";
const broker = "/plugin.GRPCBroker/StartStream";
const stdio = "/plugin.GRPCStdio/StreamStdio";
const health = "/grpc.health.v1.Health/Check";
const defaultLimitBytes = 4 * 1024 ** 2;

const starting: readonly Variant[] = [
  {
    name: "waits-without-a-cookie",
    breaks: "run by hand it waits for a host for ever",
    caughtBy: "process/cookie/absent",
    process: () => (process.env["VELERO_PLUGIN"] = "hello"),
  },
  {
    name: "ends-well-without-a-cookie",
    breaks: "run by hand it ends with code 0",
    caughtBy: "process/cookie/absent",
    process: () => process.env["VELERO_PLUGIN"] ?? process.on("exit", () => (process.exitCode = 0)),
  },
  {
    name: "takes-any-cookie",
    breaks: "only the name of the cookie is looked at",
    caughtBy: "process/cookie/wrong-value",
    process: () => process.env["VELERO_PLUGIN"] && (process.env["VELERO_PLUGIN"] = "hello"),
  },
  {
    name: "speaks-protocol-1",
    breaks: "the handshake names the first plugin protocol",
    caughtBy: "process/handshake/line",
    process: () => onWrite(1, (line) => line.replace("1|2|", "1|1|")),
  },
  {
    name: "greets-before-the-handshake",
    breaks: "a greeting is printed first",
    caughtBy: "process/handshake/line",
    process: () => onWrite(1, (line) => `starting the memory plugin\n${line}`),
  },
  {
    name: "offers-a-certificate",
    breaks: "the handshake carries a certificate of its own",
    caughtBy: "process/handshake/no-certificate",
    process: () => onWrite(1, (line) => `${line.trimEnd()}${"MIIBszCCAVmgAwIBAgIU".repeat(20)}\n`),
  },
  {
    name: "names-a-relative-socket",
    breaks: "the socket's path is relative to the plugin's folder",
    caughtBy: "process/handshake/address-can-be-dialled",
    process: () => onWrite(1, (line) => line.replace(/\|(\/[^|]+)\|/, (_, path: string) => `|${relative("/", path)}|`)),
  },
  {
    name: "listens-late",
    breaks: "the handshake is printed before the socket listens",
    caughtBy: "process/handshake/accepts-at-once",
    process: () => onWrite(1, (line) => line.replace(/\|(\/[^|]+)\|/, (_, path: string) => `|${listenLate(path)}|`)),
  },
  {
    name: "dies-of-unknown-flags",
    breaks: "an unknown flag is a usage error",
    caughtBy: "process/flags/a-flag-with-an-equals-sign",
    process: () => process.argv.some((arg) => arg.startsWith("--no-such")) && process.exit(2),
  },
  {
    name: "dies-of-stray-words",
    breaks: "a word that is no flag is a usage error",
    caughtBy: "process/flags/words-that-are-no-flags",
    process: () => process.argv.includes("left") && process.exit(2),
  },
  {
    name: "leaves-a-lock",
    breaks: "a lock file of a process that was killed keeps every other one from starting",
    caughtBy: "process/restart/works-after-the-same-init",
    process: () => lock(),
  },
  {
    name: "runs-alone",
    breaks: "a second process beside the first one refuses to start",
    caughtBy: "process/parallel/independent",
    process: () => lock(),
  },
];

const speaking: readonly Variant[] = [
  {
    name: "ends-the-broker-stream",
    breaks: "the broker's stream ends at once",
    caughtBy: "process/streams/broker",
    wire: handling(broker, (call: { end(): void }) => call.end()),
  },
  {
    name: "prints-over-stdio",
    breaks: "lines for the host are sent over the stdio stream",
    caughtBy: "process/streams/stdio",
    wire: handling(stdio, (call: { write(data: goPlugin.StdioData): void }) =>
      call.write(
        create(goPlugin.StdioDataSchema, { channel: goPlugin.StdioData_Channel.STDOUT, data: Buffer.from("hi") }),
      ),
    ),
  },
  {
    name: "ends-when-idle",
    breaks: "it implements no stream and ends with the first connection that closes",
    caughtBy: "process/streams/idle-connection",
    process: () => endWithConnections(),
    wire: without(broker, stdio),
  },
  {
    name: "has-no-health",
    breaks: "the health service is missing",
    caughtBy: "process/streams/health",
    wire: without(health),
  },
  {
    name: "limits-requests",
    breaks: "requests above gRPC's default limit are refused",
    caughtBy: "process/messages/large-persistent-volume",
    wire: limiting("requestDeserialize"),
  },
  {
    name: "limits-puts",
    breaks: "messages of a put above gRPC's default limit are refused",
    caughtBy: "process/messages/large-put-message",
    wire: limiting("requestDeserialize"),
  },
  {
    name: "limits-answers",
    breaks: "answers above gRPC's default limit are refused",
    caughtBy: "process/messages/large-answer",
    wire: limiting("responseSerialize"),
  },
  {
    name: "dies-with-a-client",
    breaks: "a put whose connection breaks ends the process",
    caughtBy: "process/clients/connection-lost-in-a-put",
    objects: (store) => ({
      putObject: async (object, body, call) => {
        call.signal.addEventListener("abort", () => process.exit(1));
        await store.putObject(object, body, call);
      },
    }),
  },
  {
    name: "serves-any-name",
    breaks: "the name of a request is not looked at",
    caughtBy: "process/names/unknown-name",
    wire: renaming("/generated.ObjectStore/"),
  },
  {
    name: "snapshots-for-any-name",
    breaks: "the name of a request is not looked at by the snapshotter",
    caughtBy: "process/names/unknown-snapshotter",
    wire: renaming("/generated.VolumeSnapshotter/"),
  },
];

const ending: readonly Variant[] = [
  {
    name: "hangs-on-shutdown",
    breaks: "Shutdown is answered, and the process stays",
    caughtBy: "process/shutdown/prompt",
    process: () => (process.exit = stay),
  },
  {
    name: "never-answers-shutdown",
    breaks: "Shutdown is not answered, and the process stays",
    caughtBy: "process/shutdown/unused",
    process: () => (process.exit = stay),
    wire: handling(shutdown, () => {}),
  },
  {
    name: "ends-with-code-1",
    breaks: "the process ends with code 1",
    caughtBy: "process/shutdown/code-zero",
    process: () => process.on("exit", () => (process.exitCode = 1)),
  },
  {
    name: "fails-at-every-end",
    breaks: "every end of the process is a crash",
    caughtBy: "process/shutdown/every-process",
    process: () => (process.exit = () => process.abort()),
  },
  {
    name: "waits-for-puts",
    breaks: "Shutdown waits until the last put has ended",
    caughtBy: "process/shutdown/put-under-way",
    objects: waitingForPuts(),
  },
  {
    name: "keeps-its-socket",
    breaks: "the socket is left behind",
    caughtBy: "process/shutdown/socket-is-removed",
    process: () => {
      fs.rmSync = () => {};
      syncBuiltinESMExports();
    },
  },
  {
    name: "outlives-its-host",
    breaks: "nobody watches whether the host is there",
    caughtBy: "process/host/killed",
    ...onlyByShutdown(),
  },
  {
    name: "outlives-its-connections",
    breaks: "the end of the host's connections is not noticed",
    caughtBy: "process/host/killed-while-connected",
    ...onlyByShutdown(),
  },
];

const writing: readonly Variant[] = [
  {
    name: "prints-to-stdout",
    breaks: "a line for each put goes to stdout",
    caughtBy: "process/log/stdout-is-silent",
    process: keepStdout,
    objects: (store) => ({
      putObject: async (object, body, call) => {
        fs.writeSync(1, `put ${object.key}\n`);
        await store.putObject(object, body, call);
      },
    }),
  },
];

/** Processes that start, speak or end wrongly. */
export const processVariants: readonly Variant[] = [...starting, ...speaking, ...ending, ...writing];

const stay = (() => {}) as unknown as typeof process.exit;

/** The path of a socket that begins to listen some time after it was named. */
function listenLate(path: string): string {
  setTimeout(() => {
    createServer((socket) => socket.pipe(connect(path)).pipe(socket)).listen(`${path}.late`);
  }, 3000);
  return `${path}.late`;
}

function lock(): void {
  const path = join(tmpdir(), `${process.env["VARIANT"]}.lock`);
  fs.closeSync(fs.openSync(path, "wx"));
  process.on("exit", () => fs.unlinkSync(path));
}

function endWithConnections(): void {
  // A prototype's method: it is called with the server below.
  // oxlint-disable-next-line typescript/unbound-method
  const listen = SocketServer.prototype.listen;
  SocketServer.prototype.listen = function listenWatched(this: SocketServer, options: ListenOptions) {
    this.on("connection", (socket) => socket.on("close", () => process.exit(0)));
    return listen.call(this, options);
  } as typeof listen;
}

/** A codec that refuses what is larger than gRPC allows unless it is told otherwise. */
function limiting(step: "requestDeserialize" | "responseSerialize"): WrapMethod {
  return ({ definition }: WireMethod) => {
    const convert = definition[step] as (value: unknown) => Buffer;
    const limited = (value: unknown): unknown => {
      const result = convert(value);
      const { length } = step === "responseSerialize" ? result : (value as Buffer);
      if (length > defaultLimitBytes) throw new Error(`message larger than max (${length} vs. ${defaultLimitBytes})`);
      return result;
    };
    return { definition: { ...definition, [step]: limited } };
  };
}

function renaming(service: string): WrapMethod {
  return (method) => {
    if (!method.path.startsWith(service)) return {};
    const { requestDeserialize } = method.definition;
    const renamed = (bytes: Buffer): unknown => ({
      ...(requestDeserialize(bytes) as object),
      plugin: "example.com/memory",
    });
    return { definition: { ...method.definition, requestDeserialize: renamed } };
  };
}

function waitingForPuts(): NonNullable<Variant["objects"]> {
  let underWay = 0;
  const exit = process.exit.bind(process);
  return (store) => {
    process.exit = ((code: number) => setInterval(() => underWay > 0 || exit(code), 10)) as never;
    return {
      putObject: async (object, body, call) => {
        underWay += 1;
        await store.putObject(object, body, call);
        // A put that fails is never counted down: its author forgot the finally.
        underWay -= 1;
      },
    };
  };
}

/** Only what the host says ends the process. */
function onlyByShutdown(): Pick<Variant, "process" | "wire"> {
  const exit = process.exit.bind(process);
  let isTold = false;
  return {
    process: () => (process.exit = ((code: number) => isTold && exit(code)) as never),
    wire: answering(shutdown, (answer: object) => {
      isTold = true;
      return answer;
    }),
  };
}
