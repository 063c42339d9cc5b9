import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { UnreadFiles } from "./volume-unread.ts";

function callThat(hears: (text: string) => void): Call {
  const hear = (text: string): void => hears(text);
  return { signal: new AbortController().signal, log: { debug: hear, info: hear, warn: hear, error: hear } };
}

test("of a million files that cannot be read the first are named and all are counted", () => {
  const unread = new UnreadFiles();
  for (let index = 0; index < 1_000_000; index += 1)
    unread.add({ item: `/v/${index}`, reason: "open: not found", isGone: false });

  assert.throws(
    () => unread.requireWhole("snapshot v", callThat(assert.fail)),
    (error) => {
      assert.ok(isKind(error, "incomplete"));
      assert.match(error.message, /1000000 files could not be read: \/v\/0 \(open: missing\).* and 999995 more/);
      return error.message.length < 500;
    },
  );
});

test("files that were deleted meanwhile are told and fail nothing, beside one that was not they do", () => {
  const told: string[] = [];
  const unread = new UnreadFiles();
  unread.add({ item: "/v/a", reason: "no such file or directory", isGone: true });
  unread.requireWhole(
    "snapshot v",
    callThat((text) => void told.push(text)),
  );
  assert.deepEqual(told, ["snapshot v: files were deleted while it ran"]);

  unread.add({ item: "/v/b", reason: "permission denied", isGone: false });
  assert.throws(
    () =>
      unread.requireWhole(
        "snapshot v",
        callThat(() => {}),
      ),
    PluginError,
  );
});
