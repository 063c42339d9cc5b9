import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeLayer } from "./layer.ts";

const scratch = mkdtempSync(join(tmpdir(), "layer-"));
after(() => rmSync(scratch, { recursive: true }));

const files = [
  { path: "/plugins/one", mode: 0o755, content: Buffer.from("program") },
  { path: "/plugins/one.lib/lib.so", mode: 0o644, content: Buffer.alloc(200_000, 7) },
  { path: "/tmp", mode: 0o1777 },
];

test("the same files give the same layer, in whatever order, at whatever time", async () => {
  const first = await writeLayer(files, scratch);

  const second = await writeLayer(files.toReversed(), scratch);

  assert.deepEqual(second, first);
  const other = [{ path: "/plugins/one", mode: 0o644, content: Buffer.from("program") }, ...files.slice(1)];
  assert.notEqual((await writeLayer(other, scratch)).digest, first.digest);
});

test("a layer lies under its digest, belongs to root and is of no time", async () => {
  const { digest, size, diffId } = await writeLayer(files, scratch);

  const blob = join(scratch, digest.replace("sha256:", ""));
  const bytes = readFileSync(blob);
  assert.equal(createHash("sha256").update(bytes).digest("hex"), digest.replace("sha256:", ""));
  assert.equal(bytes.length, size);
  const unpacked = execFileSync("gzip", ["-dc", blob], { maxBuffer: 10_000_000 });
  assert.equal(`sha256:${createHash("sha256").update(unpacked).digest("hex")}`, diffId);
  const listed = execFileSync("tar", ["-tvzf", blob, "--numeric-owner"], { encoding: "utf8", env: { TZ: "UTC" } });
  assert.deepEqual(
    listed
      .trim()
      .split("\n")
      .map((line) => line.replace(/\s+/g, " ")),
    [
      "drwxr-xr-x 0/0 0 1970-01-01 00:00 plugins/",
      "-rwxr-xr-x 0/0 7 1970-01-01 00:00 plugins/one",
      "drwxr-xr-x 0/0 0 1970-01-01 00:00 plugins/one.lib/",
      "-rw-r--r-- 0/0 200000 1970-01-01 00:00 plugins/one.lib/lib.so",
      "drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/",
    ],
  );
  assert.ok(!readdirSync(scratch).some((file) => file.startsWith("layer.")));
});
