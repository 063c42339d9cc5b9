import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const asNobodyKnown = ["--user", "--map-user=1000660000"] as const;
const isPossible = spawnSync("unshare", [...asNobodyKnown, "true"]).status === 0;
const skip = isPossible ? false : "this machine gives no user namespaces (unshare --user)";

test("neither HOME nor a passwd entry keeps a command from looking for crashes", { skip }, () => {
  const module = join(import.meta.dirname, "crash-reports.ts");
  // Only looked for: where such a process may write is another matter.
  const program = `
    const { keptCrashReports } = await import(${JSON.stringify(module)});
    process.stdout.write(String(Array.isArray(keptCrashReports({ env: {} }))));`;
  const words = [...asNobodyKnown, process.execPath, "--input-type=module", "--eval", program];

  assert.equal(
    execFileSync("unshare", words, { env: {}, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    "true",
  );
});
