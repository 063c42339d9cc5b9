import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { ChildProcess, dialTarget, parseHandshake } from "@flotilla/host";
import type { Handshake, PluginLogLine } from "@flotilla/host";
import { goPlugin, methodDefinition, velero } from "@flotilla/sdk/wire";
import { Client, credentials, Metadata } from "@grpc/grpc-js";

import type { Journal } from "./journal.ts";
import type { Observations, ObservedEnd } from "./observations.ts";
import { callUnary } from "./call-unary.ts";

/** How one process of the plugin is started. */
export interface SessionOptions {
  readonly args?: readonly string[];
  /** Beside the target's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The test puts data at risk, so that warnings are in their place. Default: false. */
  readonly mayWarn?: boolean;
  /** Open go-plugin's broker and stdio streams at once, as the server does. Default: true. */
  readonly holdsStreams?: boolean;
}

/** What a session belongs to. */
export interface SessionPlace {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly testId: string;
  readonly journal: Journal;
  readonly observations: Observations;
  /** How many times go-plugin's patience a process has that was told to end; 1 unless told. */
  readonly timeLimitFactor?: number;
}

/** As `velero server --features=EnableCSI --log-level=debug` hands its own arguments on. */
export const serverArguments: readonly string[] = ["--features=EnableCSI", "--log-level=debug"];

const startTimeoutMs = 60_000;
/** What go-plugin waits for after Shutdown before it kills. */
export const shutdownPatienceMs = 2000;

/** One process of the plugin, started and connected as the server does it. */
export class PluginSession {
  readonly handshake: Handshake;
  readonly client: Client;
  readonly lines: readonly PluginLogLine[];
  readonly #child: ChildProcess;
  readonly #place: SessionPlace;
  readonly #violations: readonly string[];
  readonly #mayWarn: boolean;
  #end: Promise<ObservedEnd | undefined> | undefined;

  private constructor(
    child: ChildProcess,
    handshake: Handshake,
    place: SessionPlace,
    heard: {
      readonly lines: readonly PluginLogLine[];
      readonly violations: readonly string[];
      readonly mayWarn: boolean;
    },
  ) {
    this.#child = child;
    this.#place = place;
    this.handshake = handshake;
    this.client = connectClient(handshake);
    this.lines = heard.lines;
    this.#violations = heard.violations;
    this.#mayWarn = heard.mayWarn;
  }

  /** Starts the executable and connects. A failure leaves no process. */
  static async start(place: SessionPlace, options: SessionOptions = {}): Promise<PluginSession> {
    const args = options.args ?? serverArguments;
    place.journal.sent(`start ${place.command} ${args.join(" ")}`);
    const lines: PluginLogLine[] = [];
    const violations: string[] = [];
    const child = await ChildProcess.spawn(place.command, {
      args,
      env: { ...place.env, ...options.env },
      onLog: (line) => void lines.push(line),
      onViolation: (violation) => void violations.push(violation),
    });
    try {
      const handshake = parseHandshake(await firstLine(child));
      place.journal.received(`handshake ${handshake.network} ${handshake.address}`);
      const heard = { lines, violations, mayWarn: options.mayWarn ?? false };
      const session = new PluginSession(child, handshake, place, heard);
      if (options.holdsStreams ?? true) session.#hold();
      return session;
    } catch (error) {
      child.kill();
      await child.end;
      const last = lines.map((line) => line.message).slice(-3);
      throw new Error(`the plugin did not start: ${String(error)}; stderr: ${last.join(" | ")}`, { cause: error });
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get journal(): Journal {
    return this.#place.journal;
  }

  get hasExited(): boolean {
    return this.#child.hasExited;
  }

  /** Resolves when the process has ended by itself or was killed. */
  get ended(): Promise<unknown> {
    return this.#child.end;
  }

  /** What it registers. */
  async listPlugins(): Promise<readonly velero.PluginIdentifier[]> {
    return (await callUnary(this, velero.PluginLister.method.listPlugins, {})).plugins;
  }

  /** Ends the process as the server does: Shutdown, two seconds of patience, SIGKILL. */
  async shutdown(): Promise<ObservedEnd> {
    const end = await (this.#end ??= this.#shutdown());
    if (end === undefined) throw new Error("the process was killed by the test");
    return end;
  }

  /** SIGKILL, as the kernel does for lack of memory. */
  async kill(): Promise<void> {
    this.journal.sent("SIGKILL");
    this.#child.kill();
    this.#end ??= this.#child.end.then(() => undefined);
    await this.#child.end;
    this.client.close();
  }

  /** Ends what still runs, and hands over what was observed. */
  async dispose(): Promise<void> {
    const end = await (this.#end ??= this.#child.hasExited
      ? this.#child.end.then(({ exitCode, signal }) => ({ exitCode, signal, tookMs: 0 }))
      : this.#shutdown());
    this.client.close();
    const { testId, observations } = this.#place;
    observations.add({ testId, lines: this.lines, violations: this.#violations, end, mayWarn: this.#mayWarn });
  }

  /** The resident set in bytes; undefined where /proc does not tell. */
  async residentBytes(): Promise<number | undefined> {
    try {
      const match = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${this.pid}/status`, "utf8"));
      return match === null ? undefined : Number(match[1]) * 1024;
    } catch {
      // No /proc on this system: tests of memory say so and pass.
      return undefined;
    }
  }

  async #shutdown(): Promise<ObservedEnd> {
    const started = performance.now();
    const patienceMs = shutdownPatienceMs * (this.#place.timeLimitFactor ?? 1);
    const method = methodDefinition(goPlugin.GRPCController, goPlugin.GRPCController.method.shutdown);
    this.journal.sent("Shutdown");
    await new Promise<void>((resolve) => {
      const options = { deadline: Date.now() + patienceMs };
      const request = { $typeName: "plugin.Empty" as const };
      const { path, requestSerialize, responseDeserialize } = method;
      // As in go-plugin the answer does not matter: what counts is that the process leaves.
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), options, () =>
        resolve(),
      );
    });
    this.client.close();
    const left = started + patienceMs - performance.now();
    await Promise.race([this.#child.end, delay(Math.max(left, 0), undefined, { ref: false })]);
    const tookMs = performance.now() - started;
    this.#child.kill();
    const { exitCode, signal } = await this.#child.end;
    this.journal.received(`exit code ${exitCode ?? `none, ${signal}`} after ${Math.round(tookMs)} ms`);
    return { exitCode, signal, tookMs };
  }

  #hold(): void {
    const broker = methodDefinition(goPlugin.GRPCBroker, goPlugin.GRPCBroker.method.startStream);
    const stdio = methodDefinition(goPlugin.GRPCStdio, goPlugin.GRPCStdio.method.streamStdio);
    const streams = [
      this.client.makeBidiStreamRequest(broker.path, broker.requestSerialize, broker.responseDeserialize),
      this.client.makeServerStreamRequest(stdio.path, stdio.requestSerialize, stdio.responseDeserialize, {
        $typeName: "google.protobuf.Empty",
      }),
    ];
    // A plugin may lack both, and both end with the process.
    for (const stream of streams) stream.on("error", () => {}).resume();
  }
}

function connectClient(handshake: Handshake): Client {
  return new Client(dialTarget(handshake), credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.default_authority": "unused",
    "grpc.enable_http_proxy": 0,
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.service_config_disable_resolution": 1,
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const first = await Promise.race([child.firstLine, child.end, delay(startTimeoutMs, undefined, { ref: false })]);
  if (typeof first === "string") return first;
  if (first === undefined) throw new Error(`no handshake within ${startTimeoutMs / 1000} s`);
  throw new Error(`it ended with ${first.exitCode ?? first.signal} before its handshake`);
}
