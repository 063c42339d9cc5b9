import { closeSync, openSync, writeSync } from "node:fs";
import { Writable } from "node:stream";

import type { Logger } from "../plugin/index.ts";

const stdoutFd = 1;

/**
 * Keeps everything but the handshake from stdout: a line before it makes the host refuse the plugin, a long one after it
 * makes the host stop reading, and the pipe fills up. What code writes through `console`, `process.stdout` or
 * `process.stderr` becomes a debug line of the log.
 */
export function guardStandardStreams(log: Logger): void {
  replaceStream("stdout", log);
  replaceStream("stderr", log);
}

/** Writes the handshake and then puts the null device in the place of stdout, for native code and child processes too. */
export function writeHandshake(line: string): void {
  writeSync(stdoutFd, line);
  closeSync(stdoutFd);
  // The lowest free number is taken: stdout's own, unless lower ones were closed before.
  for (let fd = -1; fd < stdoutFd;) fd = openSync("/dev/null", "w");
}

function replaceStream(name: "stdout" | "stderr", log: Logger): void {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: unknown, _encoding, done) {
      const text = String(chunk).trimEnd();
      if (text !== "") log.debug(text, { stream: name });
      done();
    },
  });
  // `console` looks the streams up when it is first used, so this reaches it as well.
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get: () => stream });
}
