import assert from "node:assert/strict";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readSettledFile } from "./settled-file.ts";

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "settled-"));
});

after(async () => {
  await rm(folder, { recursive: true });
});

const signal = new AbortController().signal;

async function writeOld(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await utimes(path, 0, 0);
  return path;
}

test("a file that was finished long ago is read once", async () => {
  const path = await writeOld("old", "whole");
  const seen: string[] = [];

  const text = await readSettledFile(path, { signal, isUnfinished: (one) => seen.push(one) === 0 });

  assert.equal(text, "whole");
  assert.deepEqual(seen, ["whole"]);
});

test("an unfinished file is read again until its writer is done", async () => {
  const path = await writeOld("half", "");
  setTimeout(() => void writeFile(path, "whole"), 30);

  assert.equal(await readSettledFile(path, { signal, isUnfinished: (text) => text === "" }), "whole");
});

test("a file that stays unfinished is taken as it is after two seconds", async () => {
  const path = await writeOld("never", "");
  const slept: number[] = [];
  const clock = {
    now: () => 0,
    idleMs: () => 0,
    timer: () => ({ refresh: () => {}, cancel: () => {} }),
    sleep: async (ms: number) => void slept.push(ms),
  };

  assert.equal(await readSettledFile(path, { signal, clock, isUnfinished: () => true }), "");
  assert.equal(
    slept.reduce((sum, ms) => sum + ms, 0),
    2000,
  );
});

test("an absent file is an error of the file system", async () => {
  await assert.rejects(readSettledFile(join(folder, "absent"), { signal, isUnfinished: () => false }), {
    code: "ENOENT",
  });
});
