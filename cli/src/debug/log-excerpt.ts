import { open } from "node:fs/promises";

import { UsageError } from "../cli-error.ts";

// The end of a server's log of some hours.
const excerptBytes = 2 * 1024 ** 2;

/** The end of a log, from the beginning of a line. */
export async function logExcerpt(path: string): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    throw new UsageError(`--log ${path} cannot be read: ${String(error)}`, { cause: error });
  });
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - excerptBytes);
    const buffer = Buffer.alloc(Math.min(size, excerptBytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    await file.close();
  }
}
