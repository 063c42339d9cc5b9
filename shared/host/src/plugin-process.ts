import { setTimeout as delay } from "node:timers/promises";

import { PluginError } from "@flotilla/sdk/plugin";
import { goPlugin, methodDefinition } from "@flotilla/sdk/wire";
import { connectivityState, credentials, Metadata } from "@grpc/grpc-js";
import type { Client } from "@grpc/grpc-js";
import { Client as GrpcClient } from "@grpc/grpc-js";

import { ChildProcess } from "./child-process.ts";
import type { ChildSettings } from "./child-process.ts";
import { describeCrash } from "./crash-report.ts";
import type { CrashReport } from "./crash-report.ts";
import { dialTarget, parseHandshake } from "./handshake.ts";

/** How plugin processes are started and watched. */
export interface ProcessSettings extends ChildSettings {
  /** How long a process may take to its handshake; a minute, as the server waits. */
  readonly startTimeoutMs?: number;
  /** Gives a start up early. */
  readonly signal?: AbortSignal;
  /** Told of a process that ended in the middle of a call; once for each call that it broke. */
  readonly onCrash?: (report: CrashReport) => void;
  /** How long a process may take to leave after Shutdown before it is killed; two seconds, as the server waits. */
  readonly shutdownTimeoutMs?: number;
}

const defaultStartTimeoutMs = 60_000;
const defaultShutdownTimeoutMs = 2000;

// 1 MiB: with HTTP/2's 64 KiB a get of large messages waits for window updates most of the time.
const flowControlWindow = 1024 * 1024;

const channelOptions = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc-node.flow_control_window": flowControlWindow,
  "grpc.default_authority": "unused",
  // The connection is local: the environment's proxy is for the clouds.
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.service_config_disable_resolution": 1,
};

/** One running plugin, started and connected as the server does it. */
export class PluginProcess {
  readonly client: Client;
  readonly #child: ChildProcess;
  readonly #settings: ProcessSettings;
  #isClosing = false;

  private constructor(child: ChildProcess, client: Client, settings: ProcessSettings) {
    this.#child = child;
    this.client = client;
    this.#settings = settings;
  }

  /** Starts the executable, reads its handshake and connects. A failure leaves no process and says why. */
  static async start(command: string, settings: ProcessSettings): Promise<PluginProcess> {
    const timeoutMs = settings.startTimeoutMs ?? defaultStartTimeoutMs;
    const child = await ChildProcess.spawn(command, settings);
    try {
      const client = await connect(await firstLine(child, timeoutMs, settings.signal), timeoutMs);
      const process = new PluginProcess(child, client, settings);
      process.#hold();
      return process;
    } catch (error) {
      child.kill();
      await child.end;
      throw new PluginError(`start plugin ${command}: ${PluginError.from(error).message}`, {
        kind: PluginError.from(error).kind,
        cause: error,
      });
    }
  }

  get command(): string {
    return this.#child.command;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether the process has ended, or was told to. */
  get isGone(): boolean {
    return this.#isClosing || this.#child.hasExited;
  }

  /** Whether the connection to the process stands. */
  get isConnected(): boolean {
    return this.client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** Resolves when the process has ended. */
  get end(): Promise<CrashReport> {
    return this.#child.end;
  }

  /** The report if the process ends within this time; an error of a call often arrives before the end is seen. */
  async crashWithin(ms: number): Promise<CrashReport | undefined> {
    if (this.#isClosing) return undefined;
    return await Promise.race([this.#child.end, delay(ms, undefined, { ref: false })]);
  }

  /** Ends the process as the server does: Shutdown, two seconds, SIGKILL. */
  async close(): Promise<CrashReport> {
    if (this.#isClosing) return await this.#child.end;
    this.#isClosing = true;
    const timeoutMs = this.#settings.shutdownTimeoutMs ?? defaultShutdownTimeoutMs;
    if (!this.#child.hasExited) await this.#shutdown(timeoutMs);
    this.client.close();
    const report = await Promise.race([this.#child.end, delay(timeoutMs, undefined, { ref: false })]);
    if (report !== undefined) return this.#judgeEnd(report);
    this.#settings.onViolation?.(`the plugin did not leave within ${timeoutMs} ms of Shutdown and was killed`);
    this.#child.kill();
    return await this.#child.end;
  }

  #judgeEnd(report: CrashReport): CrashReport {
    if (report.exitCode !== 0) {
      this.#settings.onViolation?.(`the plugin did not exit with code 0 on Shutdown: ${describeCrash(report)}`);
    }
    return report;
  }

  async #shutdown(timeoutMs: number): Promise<void> {
    const method = methodDefinition(goPlugin.GRPCController, goPlugin.GRPCController.method.shutdown);
    await new Promise<void>((resolve) => {
      // As in the server the answer does not matter: what counts is that the process leaves.
      this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        { $typeName: "plugin.Empty" },
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        () => resolve(),
      );
    });
  }

  /** Opens go-plugin's two streams, as the server does at once. Errors are of no interest: a plugin may lack both. */
  #hold(): void {
    const broker = methodDefinition(goPlugin.GRPCBroker, goPlugin.GRPCBroker.method.startStream);
    const stdio = methodDefinition(goPlugin.GRPCStdio, goPlugin.GRPCStdio.method.streamStdio);
    const streams = [
      this.client.makeBidiStreamRequest(broker.path, broker.requestSerialize, broker.responseDeserialize),
      this.client.makeServerStreamRequest(stdio.path, stdio.requestSerialize, stdio.responseDeserialize, {
        $typeName: "google.protobuf.Empty",
      }),
    ];
    for (const stream of streams) stream.on("error", () => {}).resume();
    void this.#child.end.then(() => this.client.close());
  }
}

async function firstLine(child: ChildProcess, timeoutMs: number, signal?: AbortSignal): Promise<string> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, {
    signal: AbortSignal.any([timer.signal, ...(signal ? [signal] : [])]),
  }).then(
    () => undefined,
    () => undefined,
  );
  const first = await Promise.race([child.firstLine, child.end, late]);
  timer.abort();
  if (typeof first === "string") return first;
  if (first !== undefined) {
    throw new PluginError(`plugin exited before we could connect: ${describeCrash(first)}`, { kind: "internal" });
  }
  signal?.throwIfAborted();
  throw new PluginError(`timeout while waiting for plugin to start: no handshake within ${timeoutMs} ms`, {
    kind: "timeout",
  });
}

async function connect(line: string, timeoutMs: number): Promise<Client> {
  const target = dialTarget(parseHandshake(line));
  const client = new GrpcClient(target, credentials.createInsecure(), channelOptions);
  try {
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + timeoutMs, (error) => (error === undefined ? resolve() : reject(error)));
    });
    return client;
  } catch (error) {
    client.close();
    throw new PluginError(`the plugin announced ${target} but does not answer there`, {
      kind: "unavailable",
      cause: error,
    });
  }
}
