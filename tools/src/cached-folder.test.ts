import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { keepInCache } from "./cached-folder.ts";

suite("a folder of the cache", () => {
  test("comes whole to its place", (t) => {
    const scratch = scratchFolder(t);
    keepInCache(folderWith(scratch, "first"), join(scratch, "place"));
    assert.equal(readFileSync(join(scratch, "place", "file"), "utf8"), "first");
  });

  test("stays as the first of two builds left it", (t) => {
    const scratch = scratchFolder(t);
    const [first, second] = [folderWith(scratch, "first"), folderWith(scratch, "second")];
    keepInCache(first, join(scratch, "place"));
    keepInCache(second, join(scratch, "place"));
    assert.equal(readFileSync(join(scratch, "place", "file"), "utf8"), "first");
  });

  test("that cannot be put there is an error", (t) => {
    const scratch = scratchFolder(t);
    assert.throws(() => keepInCache(join(scratch, "absent"), join(scratch, "place")), { code: "ENOENT" });
  });
});

function scratchFolder(t: { after(callback: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "cached-folder-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function folderWith(scratch: string, content: string): string {
  const folder = join(scratch, content);
  mkdirSync(folder);
  writeFileSync(join(folder, "file"), content);
  return folder;
}
