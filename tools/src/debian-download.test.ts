import assert from "node:assert/strict";
import { test } from "node:test";
import { downloadPackage } from "./debian-download.ts";

const unknown = { path: "pool/main/n/none/none_1_all.deb", sha256: "0".repeat(64) };

test("a package that no archive has is an error that names it and each archive that was asked", () => {
  assert.throws(() => downloadPackage(unknown, []), /no archive of .* has pool\/main\/n\/none\/none_1_all\.deb/);
  assert.throws(() => downloadPackage(unknown, ["file:///nonexistent"]), /file:\/\/\/nonexistent: /);
});
