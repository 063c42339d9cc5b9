import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

import { PluginError } from "@flotilla/sdk/plugin";

import type { CliContext } from "../context.ts";

/** What the stand-ins shall hold at first. */
export interface StandInSettings {
  readonly state: string;
  readonly bucket: string;
  readonly volumes: readonly StandInVolume[];
}

/** An EBS volume that exists at first. */
export interface StandInVolume {
  readonly id: string;
  readonly zone: string;
  readonly type: string;
  readonly sizeGiB: number;
}

/** Where the stand-ins of S3 and EC2 listen, and who may use them. */
export interface StandInAddress {
  readonly s3: string;
  readonly ec2: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

const program = join(import.meta.dirname, "..", "..", "..", "test", "emulators", "main.ts");
// As in the cloud, a snapshot or volume takes a while: the demo has to wait for it.
const pendingMs = 1500;
const startTimeoutMs = 30_000;
const stopTimeoutMs = 3000;
const keptErrorText = 2000;

/** The stand-ins as a process of their own, on loopback; ended with the demo, whatever becomes of it. */
export class StandIns implements AsyncDisposable {
  readonly address: StandInAddress;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: StandInAddress) {
    this.#child = child;
    this.address = address;
  }

  /** Starts them and waits until they answer with their addresses. */
  static async start(context: CliContext, settings: StandInSettings): Promise<StandIns> {
    const volumes = settings.volumes.flatMap(({ id, zone, type, sizeGiB }) => [
      "--volume",
      `id=${id},zone=${zone},type=${type},sizeGiB=${sizeGiB}`,
    ]);
    const { state, bucket } = settings;
    const words = [program, "--state", state, "--bucket", bucket, "--pending-ms", String(pendingMs), ...volumes];
    const child = spawn(process.execPath, words, {
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
): Promise<StandInAddress> {
  if (child.stdout === null || child.stderr === null) throw new Error("the stand-ins were started without pipes");
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-keptErrorText)));
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]);
  const ended = once(child, "exit", { signal: timeout }).then(() => {
    throw new PluginError(`the stand-ins ended before they were ready: ${errors.trim()}`, { kind: "internal" });
  });
  const line = once(createInterface({ input: child.stdout }), "line", { signal: timeout });
  const [text] = await Promise.race([line, ended]);
  // The program of this project prints exactly this object; see test/emulators/main.ts.
  return JSON.parse(String(text)) as StandInAddress;
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
