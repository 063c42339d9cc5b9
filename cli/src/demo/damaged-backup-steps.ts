import { existsSync } from "node:fs";
import { join } from "node:path";

import { isKind, PluginError } from "@flotilla/sdk/plugin";

import { createBackup } from "../commands/backup-create.ts";
import { downloadBackup } from "../commands/backup-download.ts";
import { restoreBackup } from "../commands/backup-restore.ts";
import { verifyBackup } from "../commands/backup-verify.ts";
import { contentsOf } from "./good-backup-steps.ts";
import type { DemoStage } from "./run-demo.ts";

const damagedBackup = "demo-damaged";

/** Makes a second backup, damages one of its objects below the server, and fails unless that is caught and named. */
export async function damagedBackupSteps(stage: DemoStage): Promise<void> {
  const { session, store, steps, state, from } = stage;
  const { bucket } = store.location;
  const key = await steps.run(
    "back up once more",
    async () => contentsOf(await createBackup(session, store, undefined, { name: damagedBackup, from })).key,
    (contents) => ({ where: stage.printObject(bucket, contents) }),
  );
  await steps.run(
    "flip two bits in the stored contents",
    async () => await stage.damage(key),
    ({ file, offset, before, after }) => ({
      where: stage.printObject(bucket, key),
      detail: `byte ${offset} of ${file} was ${before} and is ${after}; the recorded checksum is as it was`,
    }),
  );
  await steps.run(
    "verify names the damaged object",
    async () => await expectNamed(stage, key),
    ({ detail, checksum }) => ({ where: stage.printObject(bucket, key), checksum, detail }),
  );
  const folder = join(state, "must-not-appear");
  await steps.run(
    "download and restore refuse it",
    async () => [
      await expectRefused(folder, downloadBackup(session, store, { name: damagedBackup, to: folder })),
      await expectRefused(folder, restoreBackup(session, store, undefined, { name: damagedBackup, to: folder })),
    ],
    ([message = ""]) => ({ where: damagedBackup, detail: `nothing was written: ${message}` }),
  );
}

async function expectNamed({ session, store }: DemoStage, key: string): Promise<{ detail: string; checksum: string }> {
  const { objects, isSound } = await verifyBackup(session, store, undefined, { name: damagedBackup });
  const wrong = objects.filter(({ status }) => status !== "ok");
  const [verdict] = wrong;
  if (!isSound && wrong.length === 1 && verdict?.key === key && verdict.status === "corrupt") return verdict;
  throw new PluginError(`the corruption was not caught and named: ${JSON.stringify(wrong)}`, { kind: "internal" });
}

async function expectRefused(folder: string, work: Promise<unknown>): Promise<string> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome === undefined) throw new PluginError("the damaged backup was handed out", { kind: "internal" });
  if (!isKind(outcome, "corrupt")) throw outcome;
  if (existsSync(folder)) throw new PluginError(`${folder} was left behind`, { kind: "internal" });
  return outcome.message;
}
