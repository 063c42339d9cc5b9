import assert from "node:assert/strict";
import { test } from "node:test";
import { downloadPackage, packageArchives } from "./debian-download.ts";

const unknown = { path: "pool/main/n/none/none_1_all.deb", sha256: "0".repeat(64) };

test("a package that no archive has is an error that names it and each archive that was asked", () => {
  assert.throws(() => downloadPackage(unknown, []), /no archive of .* has pool\/main\/n\/none\/none_1_all\.deb/);
  assert.throws(() => downloadPackage(unknown, ["file:///nonexistent"]), /file:\/\/\/nonexistent: /);
});

test("archives that somebody names are asked first, and a package that none has says how to name one", () => {
  const named = packageArchives({ FLOTILLA_DEBIAN_ARCHIVES: "file:///first  file:///second/" });

  assert.deepEqual(named.slice(0, 2), ["file:///first", "file:///second"]);
  assert.throws(() => downloadPackage(unknown, named.slice(0, 2)), /FLOTILLA_DEBIAN_ARCHIVES.*\nfile:\/\/\/first: /s);
});
