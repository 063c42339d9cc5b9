import { readBlocks } from "@flotilla/sdk/objects";
import { isJsonObject, parseJson, PluginError } from "@flotilla/sdk/plugin";
import type { Call, JsonObject } from "@flotilla/sdk/plugin";
import type { Readable } from "node:stream";
import type { ReplayableBody } from "./replayable-body.ts";
import { LineCutter } from "./line-cutter.ts";
import { isHopeless } from "./errors.ts";
import { StartLimit } from "./start-limit.ts";
import { ResticProcess } from "./restic-process.ts";
import type { ResticCommand, ResticEnd } from "./restic-process.ts";

/** How a restic ended, and what it wrote. */
export interface ResticAnswer {
  readonly end: ResticEnd;
  /** Its standard output; empty where onMessage heard it. */
  readonly output: string;
}

/** What goes in and what is heard. */
export interface ResticTraffic {
  readonly action: string;
  readonly input?: ReplayableBody;
  /** Hears each line of JSON, of its standard output and of its standard error. */
  readonly onMessage?: (message: JsonObject) => void;
  /** It says nothing while it works, however long that is, so that silence is no sign that it hangs. */
  readonly isSilent?: boolean;
  /** Makes the error of one that was interrupted. Default: why it was. */
  readonly explain?: (reason: unknown, end: ResticEnd) => unknown;
}

/**
 * Without a byte in or out for this long, it hangs: restic itself tries failed requests again for a quarter of an hour.
 * While it works it says so once a second (RESTIC_PROGRESS_FPS), where it is asked for messages.
 */
const stallLimitMs = 20 * 60_000;
/** The server's own call ends after a day. */
const silentLimitMs = 24 * 60 * 60_000;

/**
 * Runs a restic to its end, whatever that is. Throws where the call aborts or the input throws: restic is interrupted
 * then, and its input stays open until it is gone, since it would take the end of that for success.
 */
export async function runRestic(command: ResticCommand, traffic: ResticTraffic, call: Call): Promise<ResticAnswer> {
  const start = await takeStart(call);
  const restic = ResticProcess.start(command);
  const stop = new AbortController();
  const limitMs = traffic.isSilent === true ? silentLimitMs : stallLimitMs;
  const stall = setTimeout(() => {
    const minutes = limitMs / 60_000;
    const text = `${traffic.action}: restic made no progress for ${minutes} min; check the repository's store`;
    stop.abort(new PluginError(text, { kind: "timeout" }));
  }, limitMs);
  const signal = AbortSignal.any([call.signal, stop.signal]);
  const interrupt = (): void => restic.interrupt();
  signal.addEventListener("abort", interrupt, { once: true });
  // While it is fed it has not begun to work: the pipe takes some bytes before that.
  const onProgress = (): void => void stall.refresh();
  const onOutput = (): void => {
    start.end();
    onProgress();
  };
  const gone = new AbortController();
  try {
    // Ends as it would by itself, much later.
    void hearLines(restic.stderr, (line) => {
      if (isHopeless(line)) restic.interrupt();
    }).catch(() => {});
    const output = collect(restic, traffic, onOutput);
    output.catch(() => {});
    send(restic, traffic.input, gone.signal, onProgress).catch((error: unknown) => {
      if (!gone.signal.aborted) stop.abort(error);
    });
    const end = await restic.end;
    if (signal.aborted) throw traffic.explain?.(signal.reason, end) ?? signal.reason;
    return { end, output: await output };
  } finally {
    gone.abort();
    start.end();
    clearTimeout(stall);
    signal.removeEventListener("abort", interrupt);
  }
}

/** Streams what a restic without a lock writes, as fast as it is read. Returns how it ended; leaving early kills it. */
export async function* streamRestic(command: ResticCommand, call: Call): AsyncGenerator<Uint8Array, ResticEnd, void> {
  const start = await takeStart(call);
  const restic = ResticProcess.start(command);
  restic.endInput();
  const kill = (): void => restic.kill();
  call.signal.addEventListener("abort", kill, { once: true });
  try {
    for await (const block of readBlocks(restic.stdout)) {
      start.end();
      yield block;
    }
    call.signal.throwIfAborted();
    return await restic.end;
  } finally {
    start.end();
    call.signal.removeEventListener("abort", kill);
    restic.kill();
  }
}

/** Of this process, for all its locations. */
const starts = new StartLimit(3);

/** One that says nothing, however far it is, must not keep others waiting for ever. */
const longestStartMs = 15_000;

async function takeStart({ signal }: Call): Promise<{ end(): void }> {
  signal.throwIfAborted();
  const release = await starts.take(signal);
  if (signal.aborted) release();
  signal.throwIfAborted();
  const timer = setTimeout(release, longestStartMs);
  timer.unref();
  return {
    end: () => {
      clearTimeout(timer);
      release();
    },
  };
}

async function send(
  restic: ResticProcess,
  input: ReplayableBody | undefined,
  gone: AbortSignal,
  onProgress: () => void,
): Promise<void> {
  const write = async (chunk: Uint8Array): Promise<void> => {
    try {
      await restic.write(chunk);
    } catch (error) {
      // How the child ended tells more; nothing is taken from the body any more until then.
      if (!isBrokenPipe(error)) throw error;
      await aborted(gone);
    }
    onProgress();
  };
  await input?.send(write, gone);
  if (!gone.aborted) restic.endInput();
}

function isBrokenPipe(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    // The last: what was under way when Node closed the pipe of a child that had ended.
    ["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END", "ECANCELED"].includes(
      String(error.code),
    )
  );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}

async function collect(restic: ResticProcess, { onMessage }: ResticTraffic, onProgress: () => void): Promise<string> {
  if (onMessage === undefined) {
    let output = "";
    for await (const chunk of restic.stdout.setEncoding("utf8")) {
      onProgress();
      output += String(chunk);
    }
    return output;
  }
  const hear = (line: string): void => {
    onProgress();
    const message = messageOf(line);
    if (message !== undefined) onMessage(message);
  };
  // What it could not read stands on the other one.
  await Promise.all([hearLines(restic.stdout, hear), hearLines(restic.stderr, hear)]);
  return "";
}

async function hearLines(input: Readable, hear: (line: string) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cutter = new LineCutter(hear);
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      reject(error);
    }
  };
  // By events: its last lines are heard by others, too.
  input.on("data", (chunk: Buffer) => guarded(() => cutter.add(chunk)));
  input.once("close", () => {
    guarded(() => cutter.close());
    resolve();
  });
  await promise;
}

/** How versions before 0.17 say, also with --json, what they could not restore. */
const passedOver = "ignoring error for ";

function messageOf(line: string): JsonObject | undefined {
  if (line.startsWith(passedOver)) return { message_type: "error", words: line.slice(passedOver.length) };
  if (!line.startsWith("{")) return undefined;
  try {
    const message = parseJson(line);
    return isJsonObject(message) ? message : undefined;
  } catch {
    // Cut off by the end of restic, which tells more.
    return undefined;
  }
}
