import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import { PluginError } from "@flotilla/sdk/plugin";

import { readPeakMemory } from "./crash-report.ts";
import type { CrashReport, ProcessEnd } from "./crash-report.ts";
import { refuseForeignFormat } from "./exec-format.ts";
import { LineSplitter, maxLineLength } from "./line-splitter.ts";
import { StderrLog } from "./stderr-log.ts";
import type { PluginLogLine } from "./stderr-log.ts";

/** What a child is started with and who hears of it. */
export interface ChildSettings {
  /** The whole environment of the host: a plugin inherits it as it would the server's. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The arguments, as the server hands its own on; none. */
  readonly args?: readonly string[];
  /** Hears each line of stderr; nobody. */
  readonly onLog?: (line: PluginLogLine, command: string) => void;
  /** Strict mode: hears whatever the server would choke on, lose or log as an error. */
  readonly onViolation?: (violation: string) => void;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

const goPluginEnvironment = {
  VELERO_PLUGIN: "hello",
  PLUGIN_MIN_PORT: "10000",
  PLUGIN_MAX_PORT: "25000",
  PLUGIN_PROTOCOL_VERSIONS: "2",
};
const keptLines = 10;
const keptLineLength = 500;
const memorySampleMs = 1000;
// A grandchild that inherited the pipes keeps them open for ever; the process itself is gone.
const pipeGraceMs = 500;

/** The process behind a plugin: its pipes, its end, and what is remembered of it. */
export class ChildProcess {
  readonly command: string;
  readonly pid: number;
  /** The first line of stdout; never settles where none comes. */
  readonly firstLine: Promise<string>;
  readonly end: Promise<CrashReport>;
  readonly #child: Child;
  readonly #startedAt = performance.now();
  readonly #lastLines: string[] = [];
  #peakMemoryBytes: number | undefined;

  private constructor(command: string, pid: number, child: Child, settings: ChildSettings) {
    this.command = command;
    this.pid = pid;
    this.#child = child;
    this.firstLine = this.#readStdout(settings);
    this.#readStderr(settings);
    this.end = this.#watchEnd();
    void this.#sampleMemory();
  }

  /** Starts the executable; a file that cannot be executed is an error. */
  static async spawn(command: string, settings: ChildSettings): Promise<ChildProcess> {
    await refuseForeignFormat(command);
    const child = spawn(command, [...(settings.args ?? [])], {
      env: { ...settings.env, ...goPluginEnvironment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const pid = child.pid;
    if (pid !== undefined) return new ChildProcess(command, pid, child, settings);
    const reason = await new Promise<Error>((resolve) => child.once("error", resolve));
    throw new PluginError(`start plugin ${command}: ${reason.message}; is it executable?`, {
      kind: "internal",
      cause: reason,
    });
  }

  get hasExited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** SIGKILL, which is the only signal that the server ever sends. */
  kill(): void {
    if (!this.hasExited) this.#child.kill("SIGKILL");
  }

  #readStdout(settings: ChildSettings): Promise<string> {
    const { stdout } = this.#child;
    const splitter = new LineSplitter();
    return new Promise((resolve) => {
      let isFirst = true;
      const take = (text: string) => {
        if (isFirst) resolve(text);
        else settings.onViolation?.(`wrote to stdout after the handshake: ${JSON.stringify(text.slice(0, 80))}`);
        isFirst = false;
      };
      stdout.setEncoding("utf8");
      stdout.on("data", (chunk: string) => {
        for (const piece of splitter.push(chunk)) {
          take(piece.text);
          if (!piece.isWhole)
            settings.onViolation?.(`a line on stdout over ${maxLineLength} bytes stops the server's reader`);
        }
      });
      stdout.on("end", () => {
        for (const piece of splitter.end()) take(piece.text);
      });
    });
  }

  #readStderr(settings: ChildSettings): void {
    const { stderr } = this.#child;
    const splitter = new LineSplitter();
    const log = new StderrLog();
    const take = (pieces: ReturnType<LineSplitter["push"]>) => {
      for (const piece of pieces) {
        const { line, violations } = log.read(piece);
        this.#remember(line);
        settings.onLog?.(line, this.command);
        for (const violation of violations) settings.onViolation?.(violation);
      }
    };
    stderr.setEncoding("utf8");
    stderr.on("data", (chunk: string) => take(splitter.push(chunk)));
    stderr.on("end", () => take(splitter.end()));
  }

  #remember(line: PluginLogLine): void {
    if (line.message === "") return;
    this.#lastLines.push(line.message.slice(0, keptLineLength));
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
  }

  async #watchEnd(): Promise<CrashReport> {
    const closed = new Promise<void>((resolve) => this.#child.once("close", () => resolve()));
    const end = await new Promise<ProcessEnd>((resolve) => {
      this.#child.once("exit", (code, signal) => resolve({ exitCode: code ?? undefined, signal: signal ?? undefined }));
    });
    const ranForMs = performance.now() - this.#startedAt;
    await Promise.race([closed, delay(pipeGraceMs, undefined, { ref: false })]);
    return {
      ...end,
      command: this.command,
      pid: this.pid,
      ranForMs,
      peakMemoryBytes: this.#peakMemoryBytes,
      lastLines: [...this.#lastLines],
    };
  }

  // The kernel forgets a process's memory with its death, so it is asked while the process lives.
  async #sampleMemory(): Promise<void> {
    while (!this.hasExited) {
      this.#peakMemoryBytes = (await readPeakMemory(this.pid)) ?? this.#peakMemoryBytes;
      await delay(memorySampleMs, undefined, { ref: false });
    }
  }
}
