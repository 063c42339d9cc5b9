import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";

import { formatResult } from "./src/report/text-report.ts";
import { runSuite } from "./src/run-suite.ts";
import { suite } from "./src/suite.ts";
import { startTarget } from "./src/target/start-target.ts";
import { readTargetFile } from "./src/target/target-file.ts";

// Every plugin of this project on the targets that are always there. What such a target skips, nobody proves: only slow
// tests may be left out, and what the target's store cannot do.
const plugins = join(import.meta.dirname, "../../plugins");

// Other test files run at the same time, on however few cores.
const busyFactor = 5;

for (const path of globSync("*/conformance/*/target.yaml", { cwd: plugins }).sort()) {
  const file = await readTargetFile(join(plugins, path));
  if (file.isRequired !== true) continue;
  const plugin = basename(join(path, "../../.."));
  await using started = await startTarget({ ...file, timeLimitFactor: (file.timeLimitFactor ?? 1) * busyFactor });
  const command = join(plugins, plugin, "dist", `flotilla-plugin-${plugin}`);
  // In one run, since some tests judge what all others made the plugin say.
  const results = await runSuite({ command, target: started.target, tests: suite });

  describe(`${plugin} on ${file.name}`, () => {
    for (const result of results)
      test(`${result.test.id}: ${result.test.title}`, { skip: result.test.isSlow === true && "slow" }, () => {
        const isExcused = result.reason === file.cannot?.[result.test.id];

        assert.notEqual(result.verdict, "failed", formatResult(result));
        assert.ok(result.verdict === "passed" || isExcused, `a required target must not skip: ${result.reason}`);
        assert.deepEqual(result.leftovers, []);
      });
  });
}
