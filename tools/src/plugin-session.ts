import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { create } from "@bufbuild/protobuf";
import type { DescMessage, DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import { goPlugin, methodDefinition, velero } from "@flotilla/sdk/wire";
import { Client, credentials } from "@grpc/grpc-js";

/** How a plugin process is started. */
export interface SessionOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment beside what the server adds. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder?: string;
  /** The folder that is the process's root, where it has one of its own. */
  readonly root?: string;
  /** How long the handshake and each call may take; 60 s, as the server allows for a start. */
  readonly timeoutMs?: number;
}

/** A plugin as its executable lists it. */
export interface ListedPlugin {
  readonly command: string;
  readonly kind: string;
  readonly name: string;
}

/** A running plugin process, spoken to as the server does. */
export interface PluginSession {
  readonly handshakeMs: number;
  /** What the process wrote to stderr so far. */
  stderr(): string;
  listPlugins(): Promise<readonly ListedPlugin[]>;
  initObjectStore(plugin: string, config: Readonly<Record<string, string>>): Promise<void>;
  initVolumeSnapshotter(plugin: string, config: Readonly<Record<string, string>>): Promise<void>;
  listCommonPrefixes(plugin: string, bucket: string): Promise<readonly string[]>;
  getObject(plugin: string, bucket: string, key: string): Promise<Buffer>;
  /** Asks the process to exit; its exit code, or the signal that ended it. Kills it where it does not answer. */
  shutdown(): Promise<number | NodeJS.Signals>;
  kill(): void;
}

/** Starts a plugin and waits for its handshake. */
export async function startPlugin(options: SessionOptions): Promise<PluginSession> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const started = performance.now();
  const child = spawn(options.command, options.args ?? [], {
    cwd: options.workingFolder,
    // What the server adds to its own environment.
    env: {
      ...options.environment,
      VELERO_PLUGIN: "hello",
      PLUGIN_MIN_PORT: "10000",
      PLUGIN_MAX_PORT: "25000",
      PLUGIN_PROTOCOL_VERSIONS: "2",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const exit = new Promise<number | NodeJS.Signals>((resolve) =>
    child.once("close", (code, signal) => resolve(code ?? signal ?? 0)),
  );
  try {
    const line = await firstLine(child, exit, timeoutMs);
    const client = new Client(dialTarget(line, options.root ?? ""), credentials.createInsecure());
    return session(child, client, exit, { handshakeMs: performance.now() - started, stderr: () => stderr, timeoutMs });
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${options.command} did not start: ${String(error)}\n${stderr}`, { cause: error });
  }
}

async function firstLine(child: ChildProcess, exit: Promise<unknown>, timeoutMs: number): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs);
  return await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.once("error", reject);
    timeout.addEventListener("abort", () => reject(new Error(`no handshake within ${timeoutMs} ms`)));
    void exit.then((status) => reject(new Error(`exited (${String(status)}) before the handshake`)));
  });
}

function dialTarget(line: string, root: string): string {
  const match = /^1\|2\|(unix|tcp)\|([^|]+)\|grpc\|$/.exec(line);
  if (match === null) throw new Error(`not a handshake line: ${line}`);
  const address = match[2] ?? "";
  return match[1] === "unix" ? `unix:${root}${address}` : `ipv4:${address}`;
}

function session(
  child: ChildProcess,
  client: Client,
  exit: Promise<number | NodeJS.Signals>,
  state: { readonly handshakeMs: number; readonly timeoutMs: number; stderr(): string },
): PluginSession {
  const { PluginLister, ObjectStore, VolumeSnapshotter } = velero;
  const controller = goPlugin.GRPCController;
  const call = unaryCaller(client, state.timeoutMs);
  return {
    handshakeMs: state.handshakeMs,
    stderr: () => state.stderr(),
    async listPlugins() {
      return (await call(PluginLister, PluginLister.method.listPlugins, create(velero.EmptySchema))).plugins;
    },
    async initObjectStore(plugin, config) {
      const request = create(velero.ObjectStoreInitRequestSchema, { plugin, config });
      await call(ObjectStore, ObjectStore.method.init, request);
    },
    async initVolumeSnapshotter(plugin, config) {
      const request = create(velero.VolumeSnapshotterInitRequestSchema, { plugin, config });
      await call(VolumeSnapshotter, VolumeSnapshotter.method.init, request);
    },
    async listCommonPrefixes(plugin, bucket) {
      const request = create(velero.ListCommonPrefixesRequestSchema, { plugin, bucket, delimiter: "/" });
      return (await call(ObjectStore, ObjectStore.method.listCommonPrefixes, request)).prefixes;
    },
    async getObject(plugin, bucket, key) {
      const { path, requestSerialize, responseDeserialize } = methodDefinition(
        ObjectStore,
        ObjectStore.method.getObject,
      );
      const request = create(velero.GetObjectRequestSchema, { plugin, bucket, key });
      const deadline = Date.now() + state.timeoutMs;
      const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, { deadline });
      const bodies: Uint8Array[] = [];
      // The decoder of the method makes nothing else.
      for await (const message of stream as AsyncIterable<velero.Bytes>) bodies.push(message.data);
      return Buffer.concat(bodies);
    },
    async shutdown() {
      const deadline = setTimeout(() => child.kill("SIGKILL"), state.timeoutMs);
      // A plugin may be gone before its answer is: what counts is how it exits.
      await call(controller, controller.method.shutdown, create(goPlugin.EmptySchema)).catch(() => {});
      const status = await exit;
      clearTimeout(deadline);
      client.close();
      return status;
    },
    kill() {
      child.kill("SIGKILL");
      client.close();
    },
  };
}

function unaryCaller(client: Client, timeoutMs: number) {
  return async <I extends DescMessage, O extends DescMessage>(
    service: DescService,
    method: DescMethod & { readonly input: I; readonly output: O },
    request: MessageShape<I>,
  ): Promise<MessageShape<O>> => {
    const { path, requestSerialize, responseDeserialize } = methodDefinition(service, method);
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => (answer === undefined ? reject(error ?? new Error("no answer")) : resolve(answer)),
      );
    });
  };
}
