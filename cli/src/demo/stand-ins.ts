import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { PluginError } from "@flotilla/sdk/plugin";

import type { CliContext } from "../context.ts";
import type { StandInProgram } from "./demo-cloud.ts";
import type { StandInFacts } from "./stand-in-facts.ts";

const answerTimeoutMs = 30_000;
const stopTimeoutMs = 3000;
const keptErrorText = 2000;

/** Stand-ins of a cloud as a process of their own, on loopback; ended with the demo, whatever becomes of it. */
export class StandIns implements AsyncDisposable {
  readonly facts: StandInFacts;
  readonly #child: ChildProcess;
  readonly #lines: Lines;

  private constructor(child: ChildProcess, lines: Lines, facts: StandInFacts) {
    this.#child = child;
    this.#lines = lines;
    this.facts = facts;
  }

  /** Starts them and waits until they answer with their addresses. */
  static async start(context: CliContext, { path, args }: StandInProgram): Promise<StandIns> {
    const child = spawn(process.execPath, [path, ...args], {
      env: { ...context.env },
      stdio: ["pipe", "pipe", "pipe"],
      // Its own group: an interruption of the demo reaches the demo, which still needs the stand-ins to clean up.
      detached: true,
    });
    try {
      const lines = new Lines(child, context.signal);
      return new StandIns(child, lines, await lines.next());
    } catch (error) {
      await end(child);
      throw error;
    }
  }

  /** Gives the program a command, and waits until it has done it. */
  async tell(command: string): Promise<void> {
    this.#child.stdin?.write(`${command}\n`);
    const { error } = await this.#lines.next();
    if (error !== undefined) throw new PluginError(`the stand-ins refuse "${command}": ${error}`, { kind: "internal" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
  }
}

/** What the program prints: one flat object of texts a line; see test/emulators/main.ts. */
class Lines {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #signal: AbortSignal;
  #errors = "";

  constructor(child: ChildProcess, signal: AbortSignal) {
    if (child.stdout === null || child.stderr === null) throw new Error("the stand-ins were started without pipes");
    this.#child = child;
    this.#signal = signal;
    this.#lines = createInterface({ input: child.stdout });
    child.stderr
      .setEncoding("utf8")
      .on("data", (text: string) => (this.#errors = (this.#errors + text).slice(-keptErrorText)));
  }

  async next(): Promise<StandInFacts> {
    const timeout = AbortSignal.any([this.#signal, AbortSignal.timeout(answerTimeoutMs)]);
    const ended = once(this.#child, "exit", { signal: timeout }).then(() => {
      throw new PluginError(`the stand-ins ended by themselves: ${this.#errors.trim()}`, { kind: "internal" });
    });
    const [text] = await Promise.race([once(this.#lines, "line", { signal: timeout }), ended]);
    return JSON.parse(String(text)) as StandInFacts;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end();
  child.kill("SIGTERM");
  const isGone = await Promise.race([exited.then(() => true), delay(stopTimeoutMs, false, { ref: false })]);
  if (isGone) return;
  child.kill("SIGKILL");
  await exited;
}
