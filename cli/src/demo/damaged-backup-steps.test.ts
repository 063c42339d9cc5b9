import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";

import { diskObjectPath } from "../testing/disk-layout.ts";
import { openDiskSession } from "../testing/disk-session.ts";
import { configMap, Flotilla } from "../testing/flotilla.ts";
import type { Damage } from "./damage.ts";
import { damagedBackupSteps } from "./damaged-backup-steps.ts";
import { Steps } from "./steps.ts";

async function stageWith(context: TestContext, fault: string, damage: (path: string) => Promise<void>) {
  const flotilla = await Flotilla.prepare();
  const session = openDiskSession(context, flotilla, fault);
  return {
    printObject: (bucket: string, key: string) => `${bucket}/${key}`,
    from: await flotilla.write({ "a.yaml": configMap }),
    state: join(flotilla.folder, "state"),
    steps: new Steps(session.progress),
    session,
    store: await session.openStore(),
    volumes: await session.openRequiredVolumes(),
    damage: async (key: string): Promise<Damage> => {
      await damage(diskObjectPath(flotilla.store, "b", key));
      return { file: "", offset: 0, before: "", after: "" };
    },
  };
}

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

test("the demo fails where the plugin hands out damaged bytes", async (context) => {
  const stage = await stageWith(context, "blind", flipBit);

  await assert.rejects(damagedBackupSteps(stage), /the damaged backup was handed out/);

  assert.equal(stage.steps.report({}).isFailure, true);
});

test("the demo fails where nothing was damaged, and so nothing is found", async (context) => {
  const stage = await stageWith(context, "none", async () => await Promise.resolve());

  await assert.rejects(damagedBackupSteps(stage), /the corruption was not caught and named: \[\]/);
});

test("a damaged object that is caught, named and refused is what the demo is for", async (context) => {
  const stage = await stageWith(context, "none", flipBit);

  await damagedBackupSteps(stage);

  assert.match(stage.steps.report({}).text, /demo-damaged\.tar\.gz": its bytes differ from the recorded crc32/);
});
