import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { PluginError } from "@flotilla/sdk/plugin";
import { LineTail } from "./line-tail.ts";

/** What to start. */
export interface ResticCommand {
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Inherited as descriptor 3. */
  readonly descriptor: number | undefined;
  /** Inherited as descriptor 4. */
  readonly secondDescriptor?: number | undefined;
  readonly workingFolder: string | undefined;
}

/** How a restic ended. */
export interface ResticEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of what it had to say, messages of --json as their text. */
  readonly lines: readonly string[];
}

/** Long enough to take its lock out of a slow store. */
const farewellMs = 10_000;

/** How long after the interrupt its input stays open. */
const inputGraceMs = 300;

/** A restic that runs. */
export class ResticProcess {
  readonly stdout: Readable;
  /** Its last lines are kept for its end, whoever else listens. */
  readonly stderr: Readable;
  readonly end: Promise<ResticEnd>;
  readonly #child: ChildProcess;
  readonly #stdin: Writable;
  #timers: NodeJS.Timeout[] | undefined;

  private constructor(child: ChildProcess, stdin: Writable, stdout: Readable, stderr: Readable) {
    this.#child = child;
    this.#stdin = stdin;
    this.stdout = stdout;
    this.stderr = stderr;
    // A child that went away is told by its end.
    stdin.on("error", () => {});
    const tail = new LineTail();
    stderr.on("data", (chunk: Buffer) => tail.add(chunk));
    const { promise, resolve, reject } = Promise.withResolvers<ResticEnd>();
    child.once("error", (error) => {
      reject(startError(error));
    });
    child.once("close", (code, signal) => {
      for (const timer of this.#timers ?? []) clearTimeout(timer);
      resolve({ code, signal, lines: tail.lines() });
    });
    // Heard by whoever waits; an early failure must not count as unheard until then.
    promise.catch(() => {});
    this.end = promise;
  }

  static start(command: ResticCommand): ResticProcess {
    const { path, args, environment, descriptor, secondDescriptor, workingFolder } = command;
    const second = secondDescriptor === undefined ? [] : [secondDescriptor];
    const child = spawn(path, [...args], {
      env: { ...environment },
      cwd: workingFolder,
      stdio: ["pipe", "pipe", "pipe", descriptor ?? "ignore", ...second],
    });
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) throw new Error("a child without pipes");
    return new ResticProcess(child, stdin, stdout, stderr);
  }

  /** Hands bytes to its stdin; resolves once they are there and their memory is free again. */
  async write(bytes: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#stdin.write(bytes, (error) => (error ? reject(error) : resolve()));
    await promise;
  }

  /** Says that the input is whole: restic takes the end of its input for success, so that nothing else may end it. */
  endInput(): void {
    this.#stdin.end();
  }

  /** Ends one that holds no lock, without reading the rest of its output. */
  kill(): void {
    this.#child.kill("SIGKILL");
    this.stdout.destroy();
  }

  /** Lets it give up: it takes its lock out of the repository, and is killed where that lasts. */
  interrupt(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#timers !== undefined) return;
    // The one signal that every version acts on.
    this.#child.kill("SIGINT");
    this.#timers = [
      // A read of its input is not interrupted. It has given up by then; had it not, what it stores has no record.
      setTimeout(() => this.#stdin.destroy(), inputGraceMs),
      setTimeout(() => this.#child.kill("SIGKILL"), farewellMs),
    ];
    for (const timer of this.#timers) timer.unref();
    // Nobody reads any more, and it must not wait for that.
    this.stdout.resume();
  }
}

/** What the system answered to the start of the program. */
function startError(error: NodeJS.ErrnoException): PluginError {
  const isMissing = error.code === "ENOENT" || error.code === "EACCES";
  const remedy = isMissing
    ? "it was there when the location was opened; put it back, or name another by resticPath"
    : "look at the memory and the number of processes of the pod, then try again";
  return new PluginError(`restic cannot be started (${error.message}): ${remedy}`, {
    kind: isMissing ? "invalid-config" : "unavailable",
    code: error.code,
    cause: error,
  });
}
