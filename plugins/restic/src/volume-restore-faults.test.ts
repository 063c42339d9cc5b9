import assert from "node:assert/strict";
import { test } from "node:test";
import { PluginError } from "@flotilla/sdk/plugin";
import { RestoreFaults } from "./volume-restore-faults.ts";

const failed = (count: number) => ({ code: 1, signal: null, lines: [`Fatal: There were ${count} errors`] });
const asTold = () => new PluginError("restore s: restic failed", { kind: "unavailable" });
const json = (item: string, message: string) => ({ message_type: "error", item, error: { message } });
const words = (text: string) => ({ message_type: "error", words: text });

test("what restic may not set is a loss, as 0.18 tells it and as 0.14 does", () => {
  for (const [loss, messages] of [
    ["owners: not set, for the system refused it, on /v/a", [json("/v/a", "lchown /r/a: operation not permitted")]],
    ["attributes: not set, for the system refused it, on /a", [json("/a", "xattr.LSet /r/a u.x: permission denied")]],
    ["device files: not made, for want of CAP_MKNOD: /a", [json("/a", "mknod /r/a: operation not permitted")]],
    ["permissions or times: not set, for the system refused it, on /a", [words("/a: chmod /a: permission denied")]],
    ["owners: not set, for the system refused it, on /a: b", [words("/a: b: Lchown: lchown /a: b: invalid argument")]],
    ["attributes: not set, for the system refused it, on /a", [words("/a: xattr.Set /a x: operation not permitted")]],
    ["device files: not made, for want of CAP_MKNOD: /a", [words("/a: operation not permitted")]],
  ] as const) {
    const faults = new RestoreFaults();
    for (const message of messages) faults.hear(message);

    faults.requireFiles(failed(1), asTold);
    assert.equal(faults.text({ withoutOwners: false }), loss);
  }
});

test("a file that is not there fails the restore, and is named with its reason", () => {
  for (const reason of [
    "write /r/a: no space left on device",
    "open /r/a: permission denied",
    "lchown /r/a: input/output error",
    "ciphertext verification failed",
    "open /r/a: operation not permitted",
  ]) {
    const faults = new RestoreFaults();
    faults.hear(json("/v/b", "lchown /r/b: operation not permitted"));
    faults.hear(json("/v/a", reason));

    assert.throws(
      () => faults.requireFiles(failed(2), asTold),
      new PluginError(`restore s: restic failed. Not restored: /v/a (${reason})`, { kind: "unavailable" }),
    );
  }
});

test("an error that was not heard, or another end of restic, fails the restore", () => {
  for (const end of [failed(2), { code: 1, signal: null, lines: ["Fatal: x"] }, { ...failed(1), code: null }]) {
    const faults = new RestoreFaults();
    if (end.code === 1) faults.hear(json("/v/b", "lchown /r/b: operation not permitted"));

    assert.throws(() => faults.requireFiles(end, asTold), /restic failed$/);
  }
});

test("of a million files without their owner the first are named, unless the owners are told otherwise", () => {
  const faults = new RestoreFaults();
  for (let at = 0; at < 1_000_000; at += 1) faults.hear(json(`/${at}`, "lchown /r: operation not permitted"));

  assert.equal(faults.text({ withoutOwners: true }), "");
  assert.match(faults.text({ withoutOwners: false }), /on \/0, \/1, \/2 and 999997 more$/);
});
