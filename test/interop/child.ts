import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that this run started and must stop. */
export interface RunningServer {
  readonly name: string;
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** How to start a server. */
export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly endpoint: string;
  readonly logFile: string;
}

/** What runs now and must not outlive this process, however it ends. */
const children = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of children) {
    child.kill("SIGKILL");
  }
});
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => process.exit(code));
}

/** Sees to it that a child ends with this process at the latest. */
export function ownChild<Child extends ChildProcess>(child: Child): Child {
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

const startDeadlineMs = 120_000;
const stopGraceMs = 3_000;

/** Starts a server as a child process and waits until it answers HTTP. */
export async function startServer(options: ServerCommand): Promise<RunningServer> {
  const log = createWriteStream(options.logFile);
  const child = ownChild(
    spawn(options.command, options.args, {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const failure = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${options.name} ended with ${code}, see ${options.logFile}`)));
  });
  // After a normal start nobody waits for the failure any more.
  failure.catch(() => undefined);
  try {
    await Promise.race([failure, answersHttp(options)]);
  } catch (cause) {
    await stopChild(child);
    throw new Error(`start ${options.name}`, { cause });
  }
  return { name: options.name, endpoint: options.endpoint, stop: () => stopChild(child) };
}

async function answersHttp(options: ServerCommand): Promise<void> {
  const deadline = Date.now() + startDeadlineMs;
  while (Date.now() < deadline) {
    try {
      await fetch(options.endpoint, { signal: AbortSignal.timeout(5_000) });
      return;
    } catch {
      // Not listening yet.
      await sleep(100);
    }
  }
  throw new Error(`${options.name} did not answer within ${startDeadlineMs / 1000} s`);
}

/** Stops a child by its id: politely, then by force. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    return;
  }
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const forced = setTimeout(() => child.kill("SIGKILL"), stopGraceMs);
  await exited;
  clearTimeout(forced);
}

/** What a finished program left. */
export interface Finished {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end and keeps its output; `echo` shows each line when it is whole, since others write too. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string; readonly echo?: boolean } = {},
): Promise<Finished> {
  const child = ownChild(
    spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
    if (options.echo === true) {
      createInterface({ input: stream }).on("line", (line) => process.stdout.write(`${line}\n`));
    }
  }
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : 1, output };
}

/** Below the ports that Linux gives to whoever asks for any, which would be another's before a server has started. */
const [firstPort, lastPort] = [20_000, 32_000];
const givenPorts = new Set<number>();

/** A loopback port that nobody uses, for a server that takes a while to listen there. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(firstPort, lastPort);
    if (givenPorts.has(port)) continue;
    givenPorts.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free TCP port was found from ${firstPort} to ${lastPort}`);
}

async function isFree(port: number): Promise<boolean> {
  const listener = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  listener.once("error", () => resolve(false));
  listener.listen(port, "127.0.0.1", () => listener.close(() => resolve(true)));
  return await promise;
}
