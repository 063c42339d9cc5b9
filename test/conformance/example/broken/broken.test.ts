import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { build } from "rolldown";

import { readTargetFile, runSuite, startTarget, suite } from "../../src/index.ts";
import type { ConformanceTest, Target, TestResult } from "../../src/index.ts";
import { variants } from "./variants.ts";

// The suite's teeth: each broken plugin must fail the test that is meant to catch it, and the same plugin without its
// fault must pass that test.

// Hundreds of starts: in one piece the plugin starts three times as fast as from its sources.
const folder = await mkdtemp(join(tmpdir(), "broken-plugin-"));
after(async () => await rm(folder, { recursive: true, force: true }));
const command = join(folder, "plugin.mjs");
await build({
  input: { plugin: join(import.meta.dirname, "plugin.ts") },
  platform: "node",
  tsconfig: false,
  logLevel: "warn",
  output: { dir: folder, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name].mjs" },
});
await chmod(command, 0o755);

const file = await readTargetFile(join(import.meta.dirname, "../target.yaml"));
assert.ok(file.objectStore !== undefined);
const started = await startTarget({
  ...file,
  name: "broken",
  objectStore: { ...file.objectStore, denied: { password: "wrong" } },
  capabilities: [...(file.capabilities ?? []), "authenticates", "signed-urls"],
  cannot: {},
});
after(async () => await started[Symbol.asyncDispose]());

interface Judged {
  readonly name: string;
  readonly control: string;
  readonly timeLimitFactor?: number;
}

// Other test files run at the same time, on however few cores.
const busyFactor = 10;
/** Some faults show only where two things meet, which a busy machine may keep apart for once; none may hide each time. */
const tries = 5;

async function judge(
  { name, control, timeLimitFactor = 1 }: Judged,
  tests: readonly ConformanceTest[],
): Promise<readonly TestResult[]> {
  const { env, capabilities } = started.target;
  const target: Target = {
    ...started.target,
    timeLimitFactor,
    env: { ...env, VARIANT: name },
    capabilities: new Set([...capabilities, ...(control === "disk" ? (["durable"] as const) : [])]),
  };
  return await runSuite({ command, target, tests, withSlow: true });
}

function testsOf(names: readonly string[]): readonly ConformanceTest[] {
  return suite.filter(({ id }) => names.includes(id));
}

/** The tests that a sound plugin must pass, in shares that run side by side. */
const controls = ["", "disk"].flatMap((control) => {
  const caught = variants.filter((variant) => (variant.control ?? "") === control).map(({ caughtBy }) => caughtBy);
  const ids = [...new Set(caught)];
  const share = Math.ceil(ids.length / 4);
  return [0, 1, 2, 3].map((index) => ({ control, ids: ids.slice(index * share, (index + 1) * share) }));
});

describe("the suite has teeth", { concurrency: 3, timeout: 1_800_000 }, () => {
  for (const { control, ids } of controls.filter(({ ids }) => ids.length > 0))
    test(`a sound plugin ${control === "" ? "in memory" : "on disk"} passes ${ids.length} of the tests that catch broken ones`, async () => {
      const results = await judge({ name: control, control, timeLimitFactor: busyFactor }, testsOf(ids));

      const wrong = results.filter(({ verdict }) => verdict !== "passed");
      assert.deepEqual(
        wrong.map(({ test: { id }, verdict, reason }) => `${id} ${verdict}: ${reason}`),
        [],
      );
      assert.equal(results.length, ids.length, "a variant names a test that there is not");
    });

  for (const { name, breaks, caughtBy, control = "" } of variants)
    test(`${name}: ${breaks}`, async (t) => {
      let result: TestResult | undefined;
      for (let left = tries; left > 0 && result?.verdict !== "failed"; left -= 1)
        [result] = await judge({ name, control }, testsOf([caughtBy]));

      assert.ok(result !== undefined, `${caughtBy} is no test`);
      t.diagnostic(`${caughtBy}: ${result.reason}`);
      assert.equal(result.verdict, "failed", `the variant survives ${caughtBy} ${tries} times`);
    });
});

test("every variant has a name of its own", () => {
  assert.equal(new Set(variants.map(({ name }) => name)).size, variants.length);
});
