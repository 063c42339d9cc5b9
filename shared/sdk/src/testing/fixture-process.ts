import { spawn } from "node:child_process";
import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { DescMethodUnary, DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ClientDuplexStream, ClientReadableStream, ClientWritableStream } from "@grpc/grpc-js";
import type { ChildProcess } from "node:child_process";

import { goPlugin, methodDefinition, velero } from "../wire/index.ts";
import { fixtureName, fixturePath } from "./fixture-path.ts";

/** How to start the fixture plugin. */
export interface FixtureOptions {
  readonly args?: readonly string[];
  /** Beside a bare environment with the magic cookie; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The fixture plugin as a process of its own, and a client on its wire. */
export class FixtureProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<ProcessEnd>;
  #stdout = "";
  #stderr = "";
  #client: Client | undefined;

  constructor({ args = [], env = {} }: FixtureOptions = {}) {
    const bare = { PATH: process.env["PATH"], VELERO_PLUGIN: "hello" };
    this.child = spawn(process.execPath, [fixturePath, ...args], {
      env: { ...bare, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // A test that hangs must not leave a process behind, nor wait for it for ever.
    const patience = setTimeout(() => this.child.kill("SIGKILL"), patienceMs);
    this.child.once("close", () => {
      clearTimeout(patience);
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.ended = once(this.child, "close").then(() => ({ code: this.child.exitCode, signal: this.child.signalCode }));
  }

  /** Everything that was written to stdout so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Everything that was written to stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The log lines so far, parsed. */
  get logLines(): readonly Record<string, unknown>[] {
    // Each line of a plugin's log is one JSON object.
    return this.#stderr
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Waits for the handshake line and answers its fields. Throws when the process ends instead. */
  async handshake(): Promise<readonly string[]> {
    while (!this.#stdout.includes("\n")) {
      const ended = await Promise.race([this.ended, once(this.child.stdout ?? this.child, "data")]);
      if ("code" in ended) throw new Error(`the fixture ended before its handshake: ${this.#stderr}`);
    }
    return this.#stdout.split("\n")[0]?.split("|") ?? [];
  }

  /** The client, connected to where the handshake points. */
  async client(): Promise<Client> {
    const [, , network, address] = await this.handshake();
    this.#client ??= new Client(network === "unix" ? `unix:${address}` : `${address}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
    });
    return this.#client;
  }

  /** Makes a unary call. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const client = await this.client();
    const { path, requestSerialize, responseDeserialize } = methodDefinition(method.parent, method);
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        create(method.input, request),
        (error, answer) => {
          if (error !== null) reject(error);
          else if (answer === undefined) reject(new Error(`${method.name} answered nothing`));
          else resolve(answer);
        },
      );
    });
  }

  /** Opens an object location. */
  async initObjectStore(config: Readonly<Record<string, string>>, plugin: string = fixtureName): Promise<void> {
    await this.call(velero.ObjectStore.method.init, { plugin, config: { prefix: "", ...config } });
  }

  /** Opens a volume location. */
  async initVolumeSnapshotter(config: Readonly<Record<string, string>>): Promise<void> {
    await this.call(velero.VolumeSnapshotter.method.init, { plugin: fixtureName, config: { ...config } });
  }

  /** Starts a put. `finished` settles with the answer. */
  async startPut(metadata: Metadata = new Metadata()): Promise<{
    readonly stream: ClientWritableStream<velero.PutObjectRequest>;
    readonly finished: Promise<void>;
  }> {
    const client = await this.client();
    const definition = methodDefinition(velero.ObjectStore, velero.ObjectStore.method.putObject);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stream = client.makeClientStreamRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      metadata,
      (error) => {
        if (error === null) resolve();
        else reject(error);
      },
    );
    return { stream, finished: promise };
  }

  /** Puts an object in messages as the server sends them. */
  async put(object: { bucket: string; key: string; plugin?: string }, body: Uint8Array): Promise<void> {
    const { stream, finished } = await this.startPut();
    let isOver = false;
    const settled = finished.finally(() => (isOver = true));
    settled.catch(() => {});
    for (let offset = 0; offset === 0 || offset < body.length; offset += serverChunkBytes) {
      if (isOver) break;
      if (!stream.write(putMessage(object, body.subarray(offset, offset + serverChunkBytes))))
        await Promise.race([once(stream, "drain"), settled.catch(() => {})]);
    }
    stream.end();
    await settled;
  }

  /** Starts a get. */
  async startGet(object: { bucket: string; key: string }): Promise<ClientReadableStream<velero.Bytes>> {
    const client = await this.client();
    const definition = methodDefinition(velero.ObjectStore, velero.ObjectStore.method.getObject);
    return client.makeServerStreamRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      create(velero.GetObjectRequestSchema, { plugin: fixtureName, ...object }),
    );
  }

  /** Gets an object, message by message. */
  async get(object: { bucket: string; key: string }): Promise<readonly Uint8Array[]> {
    const messages: Uint8Array[] = [];
    for await (const message of await this.startGet(object)) messages.push((message as velero.Bytes).data);
    return messages;
  }

  /** Opens the two streams that a host of go-plugin's holds for as long as it lives. */
  async holdStreams(): Promise<
    readonly [ClientDuplexStream<goPlugin.ConnInfo, goPlugin.ConnInfo>, ClientReadableStream<goPlugin.StdioData>]
  > {
    const client = await this.client();
    const broker = methodDefinition(goPlugin.GRPCBroker, goPlugin.GRPCBroker.method.startStream);
    const stdio = methodDefinition(goPlugin.GRPCStdio, goPlugin.GRPCStdio.method.streamStdio);
    const streams = [
      client.makeBidiStreamRequest(broker.path, broker.requestSerialize, broker.responseDeserialize),
      client.makeServerStreamRequest(
        stdio.path,
        stdio.requestSerialize,
        stdio.responseDeserialize,
        create(goPlugin.GRPCStdio.method.streamStdio.input),
      ),
    ] as const;
    for (const stream of streams) stream.on("error", () => {});
    return streams;
  }

  /** Closes the client's connection. */
  disconnect(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect();
    if (this.child.exitCode === null) this.child.kill("SIGKILL");
    await this.ended;
  }
}

const patienceMs = 600_000;

/** How much the server sends in one message. */
export const serverChunkBytes = 16 * 1024;

/** One message of a put. */
export function putMessage(
  { bucket, key, plugin = fixtureName }: { bucket: string; key: string; plugin?: string },
  body: Uint8Array,
): velero.PutObjectRequest {
  return create(velero.PutObjectRequestSchema, { plugin, bucket, key, body });
}
