import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@flotilla/sdk/plugin";
import { ReplayableBody } from "./replayable-body.ts";
import { runRestic } from "./restic-run.ts";

const call = { log: silentLogger, signal: new AbortController().signal };

// More than a pipe takes, so that a write is under way when the child ends.
async function* large(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(4 * 1024 ** 2);
}

test("how a restic ended is told, not that its input could not be written any more", async () => {
  const command = {
    path: "/bin/sh",
    args: ["-c", "sleep 0.02; exit 10"],
    environment: {},
    descriptor: undefined,
    workingFolder: undefined,
  };
  const run = async (): Promise<number | null> => {
    const { end } = await runRestic(command, { action: "store", input: new ReplayableBody(large()) }, call);
    return end.code;
  };

  const codes = await Promise.all(Array.from({ length: 30 }, run));

  assert.deepEqual(new Set(codes), new Set([10]));
});
