import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import { PluginError } from "@flotilla/sdk/plugin";

import type { CliContext } from "../context.ts";
import type { StandInProgram } from "./demo-cloud.ts";
import type { StandInFacts } from "./stand-in-facts.ts";

const startTimeoutMs = 30_000;
const stopTimeoutMs = 3000;
const keptErrorText = 2000;

/** Stand-ins of a cloud as a process of their own, on loopback; ended with the demo, whatever becomes of it. */
export class StandIns implements AsyncDisposable {
  readonly facts: StandInFacts;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, facts: StandInFacts) {
    this.#child = child;
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
      return new StandIns(child, await firstLine(child, context.signal));
    } catch (error) {
      await end(child);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child);
  }
}

async function firstLine(
  child: ChildProcess & { readonly stdout: Readable | null; readonly stderr: Readable | null },
  signal: AbortSignal,
): Promise<StandInFacts> {
  if (child.stdout === null || child.stderr === null) throw new Error("the stand-ins were started without pipes");
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-keptErrorText)));
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]);
  const ended = once(child, "exit", { signal: timeout }).then(() => {
    throw new PluginError(`the stand-ins ended before they were ready: ${errors.trim()}`, { kind: "internal" });
  });
  const line = once(createInterface({ input: child.stdout }), "line", { signal: timeout });
  const [text] = await Promise.race([line, ended]);
  // The programs of this project print one flat object of texts; see test/emulators/main.ts.
  return JSON.parse(String(text)) as StandInFacts;
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
