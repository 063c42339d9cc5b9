import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { ChildProcess } from "@flotilla/host";
import type { PluginLogLine } from "@flotilla/host";

import { fail } from "../../expect.ts";
import { serverArguments } from "../../plugin/plugin-session.ts";
import type { TestContext } from "../../test-context.ts";

/** What the executable did when something else than the server started it. */
export interface HandRun {
  /** Undefined where it had to be killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const patienceMs = 10_000;

/** Starts the executable with this environment and nothing beside it, and waits for its end. */
export async function runByHand(t: TestContext, env: Readonly<Record<string, string>>): Promise<HandRun> {
  return await new Promise((resolve) => {
    const options = { env: { ...env }, timeout: patienceMs * t.timeLimitFactor, killSignal: "SIGKILL" as const };
    const child = execFile(t.command, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : child.exitCode;
      resolve({ exitCode: exitCode ?? undefined, stdout, stderr });
    });
    child.stdin?.end();
  });
}

/** A process of the plugin whose handshake nobody has read yet. */
export interface RawProcess {
  readonly child: ChildProcess;
  readonly lines: readonly PluginLogLine[];
  readonly violations: readonly string[];
}

/** Starts the executable as the server does, without connecting. The test owns the process. */
export async function startRaw(t: TestContext, args: readonly string[] = serverArguments): Promise<RawProcess> {
  const lines: PluginLogLine[] = [];
  const violations: string[] = [];
  const child = await ChildProcess.spawn(t.command, {
    args,
    env: t.target.env,
    onLog: (line) => void lines.push(line),
    onViolation: (violation) => void violations.push(violation),
  });
  t.own(async () => {
    child.kill();
    await child.end;
  });
  return { child, lines, violations };
}

/** The first line of stdout; an end before it fails the test with what the process had to say. */
export async function firstLineOf({ child, lines }: RawProcess): Promise<string> {
  const first = await Promise.race([child.firstLine, child.end]);
  if (typeof first === "string") return first;
  const said = lines.map((line) => line.message).slice(-3);
  return fail(`it ended with ${first.exitCode ?? first.signal} before its handshake; stderr: ${said.join(" | ")}`);
}

/** Whether a process runs. One that ended and waits to be collected does not. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    return !/\) [ZX] /.test(stat);
  } catch {
    // No process of that id.
    return false;
  }
}
