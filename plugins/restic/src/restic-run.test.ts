import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import { faultOf, interruptedError, resticError } from "./errors.ts";
import { ReplayableBody } from "./replayable-body.ts";
import type { ResticCommand, ResticEnd } from "./restic-process.ts";
import { runRestic } from "./restic-run.ts";

const call = { log: silentLogger, signal: new AbortController().signal };

// More than a pipe takes, so that a write is under way when the child ends.
async function* large(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(4 * 1024 ** 2);
}

test("how a restic ended is told, not that its input could not be written any more", async () => {
  const command = shell("sleep 0.02; exit 10");
  const run = async (): Promise<number | null> => {
    const { end } = await runRestic(command, { action: "store", input: new ReplayableBody(large()) }, call);
    return end.code;
  };

  const codes = await Promise.all(Array.from({ length: 30 }, run));

  assert.deepEqual(new Set(codes), new Set([10]));
});

test("a restic that is given up while it tries again has said why, without the password in its address", async () => {
  const word = 'List(<snapshot/>) returned error, retrying after 1s: Get "http://u:pw@h/": connection refused';
  const lines = [
    `trap 'echo "Fatal: context canceled" >&2; exit 1' INT`,
    `printf '%s\\n' '${word}' '{}' >&2`,
    "while :; do sleep 0.01; done",
  ];
  const command = shell(lines.join("\n"));
  const attempt = { action: "list", repository: "rest:http://h/", secret: "u:pw" };
  const stop = new AbortController();
  const onMessage = (): void => stop.abort(new PluginError("too late", { kind: "timeout" }));
  const explain = (reason: unknown, end: ResticEnd): unknown => interruptedError(reason, end, attempt);

  const run = runRestic(command, { action: "list", onMessage, explain }, { ...call, signal: stop.signal });

  await assert.rejects(run, (error: unknown) => {
    assert.ok(isKind(error, "unavailable"));
    assert.match(error.message, /^list in repository rest:.*: Get "http:\/\/\*\*\*@h\/": connection refused; check/);
    return true;
  });
});

test("a restic that tries again what will not change is ended, and told as one that has failed for it", async () => {
  const outcomes = [
    ["Stat(<config/>) returned error, retrying after 1s: Stat: Access Denied.", "other", "denied"],
    ['List(<key/>) failed, retrying after 1s: Get "https://h": tls: failed to verify: x509', "other", "unavailable"],
    ["Save(<lock/ab>) returned error, retrying after 1s: open /r/locks/x: read-only file system", "other", "denied"],
    ["Stat(<config/>) returned error, retrying after 1s: The specified bucket does not exist.", "no-repository", ""],
  ] as const;
  for (const [word, fault, kind] of outcomes) {
    const lines = [`trap 'echo "Fatal: context canceled" >&2; exit 130' INT`, `echo '${word}' >&2`, "sleep 0.01"];
    const command = shell([...lines, "while :; do sleep 0.01; done"].join("\n"));

    const { end } = await runRestic(command, { action: "list" }, call);

    assert.equal(faultOf(end), fault);
    const error = resticError(end, { action: "list", repository: "s3:h" });
    if (kind !== "") assert.equal(error.kind, kind);
    assert.ok(error.message.includes(word), error.message);
  }
});

function shell(script: string): ResticCommand {
  return {
    path: "/bin/sh",
    args: ["-c", script],
    environment: {},
    descriptor: undefined,
    workingFolder: undefined,
  };
}
