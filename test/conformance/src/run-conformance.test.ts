import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { parseArguments } from "./arguments.ts";
import { runConformance } from "./run-conformance.ts";

test("--kind judges a plugin whose other location cannot be opened", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "run-conformance-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "target.yaml");
  const target = {
    provider: "example.com/memory",
    objectStore: { config: { bucket: "first" } },
    volumeSnapshotter: { config: { unknownKey: "x" } },
  };
  writeFileSync(config, JSON.stringify(target));
  const plugin = join(import.meta.dirname, "..", "example", "plugin.ts");
  const judge = async (...more: readonly string[]): Promise<readonly [boolean, string]> => {
    const lines: string[] = [];
    const options = parseArguments([
      "--plugin",
      plugin,
      "--config",
      config,
      "--only",
      "^lister/list/answers-the-same",
      ...more,
    ]);
    assert.ok(options);
    return [await runConformance(options, (text) => void lines.push(text)), lines.join("")];
  };

  const [withBoth] = await judge();
  const [withOne, report] = await judge("--kind", "ObjectStore");

  assert.equal(withBoth, false);
  assert.equal(withOne, true, report);
});
