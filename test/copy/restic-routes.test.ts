import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { skipSlow, startResticRig } from "../wire-restic/restic-rig.ts";
import type { ResticRig } from "../wire-restic/restic-rig.ts";
import type { Location } from "../wire/location.ts";
import { builtCommand } from "../wire/workspace.ts";
import { filesOf, seedBackup, startAws } from "./place.ts";
import type { Cloud } from "./place.ts";
import { startFlotilla } from "./run-flotilla.ts";

// Backups into a restic repository, from a bucket and from another repository.
let cloud: Cloud;
let rigs: Readonly<Record<"first" | "second", ResticRig>>;

interface Repository {
  readonly location: Location;
  readonly bsl: string;
}

async function openRepository(rig: ResticRig, bucket: string): Promise<Repository> {
  const { bucket: _, prefix, ...config } = rig.configOf(bucket);
  const bsl = join(rig.folder, `${bucket}.yaml`);
  const document = {
    apiVersion: "velero.io/v1",
    kind: "BackupStorageLocation",
    metadata: { name: bucket },
    spec: { provider: "flotilla.io/restic", objectStorage: { bucket, prefix }, config },
  };
  await writeFile(bsl, JSON.stringify(document));
  return { location: await rig.open(bucket), bsl };
}

async function copy(...words: readonly string[]): Promise<readonly { result: string }[]> {
  const plugin = ["--plugin", builtCommand("restic", "FLOTILLA_RESTIC_PLUGIN_UNDER_TEST")];
  const run = await startFlotilla(rigs.first.folder, ["backup", "copy", "one", ...words, ...plugin, "-o", "json"]).end;
  assert.equal(run.exitCode, 0, run.stderr + run.stdout);
  return (JSON.parse(run.stdout) as { backups: { result: string }[] }).backups;
}

describe("copies of backups into restic repositories", { skip: skipSlow, timeout: 240_000 }, () => {
  before(async () => {
    cloud = await startAws();
    rigs = { first: await startResticRig(), second: await startResticRig() };
  });
  after(async () => {
    await cloud.close();
    await rigs.first.close();
    await rigs.second.close();
  });

  test("a bucket's backup arrives whole, goes on into a second repository, and is there when both runs are repeated", async () => {
    const from = await cloud.place("to-restic");
    const files = await seedBackup(from, "one", filesOf("one", { contentBytes: 3 * 1024 ** 2 }));
    const first = await openRepository(rigs.first, "cluster-1");
    const second = await openRepository(rigs.second, "cluster-1");
    const routes = [
      ["--from", from.bsl, "--from-credentials-file", from.credentialsFile, "--to", first.bsl],
      ["--from", first.bsl, "--to", second.bsl],
    ] as const;

    for (const [at, { location }] of [first, second].entries()) {
      const route = routes[at] ?? [];
      assert.deepEqual(
        (await copy(...route)).map(({ result }) => result),
        ["copied"],
      );
      for (const [file, bytes] of files)
        assert.ok(bytes.equals(await location.get(`backups/one/${file}`)), `${file} differs`);
      assert.deepEqual(
        (await copy(...route)).map(({ result }) => result),
        ["present"],
      );
    }
  });
});
