import assert from "node:assert/strict";
import { test } from "node:test";
import { bool, copyTargets, defineObjectStore, text } from "@flotilla/sdk/plugin";
import { referenceTables, replaceBetweenMarkers } from "./reference-table.ts";

const definition = defineObjectStore({
  name: "example.io/store",
  config: {
    keys: {
      bucket: text("Bucket.", { origin: "server", required: true }),
      token: text("Token.", { secret: true }),
      old: text("Old switch.", { ignored: "always on" }),
      own: bool("Ours | alone.", { origin: "ours", fallback: false }),
    },
    exclusive: [["token", "old"]],
  },
  open: async () => await Promise.reject(new Error("not opened here")),
});

test("a page without both markers is left alone", () => {
  assert.equal(replaceBetweenMarkers("text", "config", "new"), undefined);
  assert.equal(replaceBetweenMarkers("<!-- config:begin -->\n", "config", "new"), undefined);
  assert.equal(replaceBetweenMarkers("<!-- config:end -->\n<!-- config:begin -->\n", "config", "new"), undefined);
});

test("what stands between the markers is replaced, and replacing again changes nothing", () => {
  const page = "before\n\n<!-- config:begin -->\nold\n<!-- config:end -->\n\nafter\n";

  const once = replaceBetweenMarkers(page, "config", "new\n");

  assert.equal(once, "before\n\n<!-- config:begin -->\n\nnew\n\n<!-- config:end -->\n\nafter\n");
  assert.equal(replaceBetweenMarkers(once, "config", "new\n"), once);
});

test("official keys come first and the server's last", () => {
  const keys = referenceTables([definition], 2).match(/(?<=^\| `)\w+/gm);

  assert.deepEqual(keys, ["token", "old", "own", "bucket"]);
});

test("a row says what is required, secret, ignored and the default", () => {
  const table = referenceTables([definition], 3);

  assert.match(table, /^### BackupStorageLocation, provider `example\.io\/store`$/m);
  assert.match(table, /^\| `bucket` \| text \| required \| server \| Bucket\. \|$/m);
  assert.match(table, /^\| `token` .* Never printed\. \|$/m);
  assert.match(table, /^\| `old` .* Accepted without effect: always on\. \|$/m);
  assert.match(table, /^\| `own` \| true or false \| false \| ours \| Ours \\\| alone\. \|$/m);
});

test("keys that exclude each other are named under the table", () => {
  assert.match(referenceTables([definition], 2), /At most one of `token`, `old` may be set\./);
});

test("the keys of a URL's query stand in a table of their own", () => {
  const query = { keys: { region: text("Region.", { defaultText: "the location's" }) } };
  const copyTo = copyTargets("Copies.", { scheme: "s3", query });
  const open = async () => await Promise.reject(new Error("not opened here"));

  const table = referenceTables([defineObjectStore({ name: "example.io/s", config: { keys: { copyTo } }, open })], 2);

  assert.match(table, /Keys of the query of a `copyTo` URL:\n\n\| Key .*\n\| ---.*\n\| `mode` \|.*\n\| `region` \|/);
});
