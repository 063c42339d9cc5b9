import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { bundleReport } from "./bundle-report.ts";
import { bundle } from "./bundle.ts";
import { runBundle, wrapChunk } from "./chunk-loader.ts";

const scratch = mkdtempSync(join(tmpdir(), "bundle-"));
after(() => rmSync(scratch, { recursive: true }));

const program = {
  "main.ts": [
    'import { shared } from "./shared.ts";',
    'import packageJson from "./package.json" with { type: "json" };',
    "const trace: string[] = ((globalThis as any).trace = []);",
    "trace.push(`main ${packageJson.version} ${shared}`, import.meta.url);",
    "await new Promise((resolve) => setTimeout(resolve, 1));",
    'const { late } = await import("./late.ts");',
    "trace.push(late);",
    'trace.push((await import("node:os")).EOL);',
  ].join("\n"),
  "shared.ts": 'export const shared: string = "größe \\u{1f6a2} 🚢";',
  "late.ts": '(globalThis as any).trace.push("late evaluated"); export const late = "late";',
  "package.json": '{ "name": "sample", "version": "1.2.3" }',
};

test("a program that does not resolve is refused", async () => {
  writeProgram("broken", { "main.ts": 'import { nothing } from "./nothing.ts"; nothing();' });

  await assert.rejects(bundle(join(scratch, "broken", "main.ts")), /nothing\.ts/);
});

test("chunks are ASCII whatever the sources hold", async () => {
  writeProgram("ascii", program);

  const chunks = await bundle(join(scratch, "ascii", "main.ts"));

  for (const { code } of chunks) assert.equal(Buffer.byteLength(code, "utf8"), code.length);
});

test("what is imported dynamically is read and evaluated when it is asked for, not before", async () => {
  writeProgram("lazy", program);
  const chunks = new Map(
    (await bundle(join(scratch, "lazy", "main.ts"))).map(({ name, code }) => [name, Buffer.from(wrapChunk(code))]),
  );
  const read: string[] = [];

  runBundle(
    { code: (name) => (read.push(name), chunks.get(name) ?? assert.fail(name)), codeCache: () => undefined },
    "main.js",
  );

  const trace: unknown = Reflect.get(globalThis, "trace");
  const url = `file://${process.execPath}`;
  assert.deepEqual(trace, ["main 1.2.3 größe 🚢 🚢", url]);
  assert.ok(!read.includes("late.js"));
  while (!Array.isArray(trace) || trace.length < 5) await delay(5);
  assert.deepEqual(trace, ["main 1.2.3 größe 🚢 🚢", url, "late evaluated", "late", "\n"]);
  assert.ok(read.includes("late.js"));
});

test("the report names the executable, every chunk with its cache, and the largest packages", async () => {
  writeProgram("sample/src", program);
  const chunks = await bundle(join(scratch, "sample/src", "main.ts"));

  const report = bundleReport(chunks, 2048, new Map([["main.js.cache", 1024]]));

  assert.match(report, /^executable +2 KiB$/m);
  assert.match(report, /^ {2}main\.js\.cache +1 KiB$/m);
  assert.match(report, /^ {2}late\.js /m);
  assert.match(report, /\/sample /);
});

function writeProgram(name: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(scratch, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(scratch, name, file), text);
}
