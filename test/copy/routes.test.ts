import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { between, differences, filesOf, seedBackup, startAws, startAzure, startGcp } from "./place.ts";
import type { Cloud, Place } from "./place.ts";
import { startFlotilla } from "./run-flotilla.ts";
import { temporaryFolder } from "./temporary-folder.ts";

// From one cloud to another, and from one account of a cloud to another of the same cloud, where even the buckets' names are the same.
let clouds: Readonly<Record<"aws" | "otherAws" | "azure" | "gcp", Cloud>>;
let folder: string;

before(async () => {
  folder = await temporaryFolder();
  const [aws, otherAws] = [await startAws(), await startAws()];
  clouds = { aws, otherAws, azure: await startAzure(), gcp: await startGcp() };
});
after(async () => {
  for (const cloud of Object.values(clouds)) await cloud.close();
});

const routes = [
  ["aws", "azure"],
  ["azure", "gcp"],
  ["gcp", "aws"],
  ["aws", "otherAws"],
] as const;

async function flotilla(...words: readonly string[]) {
  return await startFlotilla(folder, words).end;
}

for (const [source, destination] of routes) {
  const route = `${source}-${destination}`.toLowerCase();

  async function places(name: string): Promise<{ readonly from: Place; readonly to: Place }> {
    const from = await clouds[source].place(`${name}-${route}`, { prefix: "cluster-1" });
    const to = await clouds[destination].place(`${name}-${route}`, {
      prefix: destination === "otherAws" ? "cluster-1" : "other/place",
    });
    return { from, to };
  }

  test(`${source} to ${destination}: what is corrupt at the source does not arrive, and no backup is seen`, async () => {
    const { from, to } = await places("corrupt");
    await seedBackup(from, "one");
    await from.location.flipBit(from.key("one", "one.tar.gz"), 150_000);

    const { exitCode, stdout } = await flotilla("backup", "copy", "one", ...between(from, to), "--quiet");

    assert.equal(exitCode, 1);
    assert.match(stdout, /one +failed .*one\.tar\.gz/);
    assert.equal(await to.shows("one"), false);
    assert.ok(!(await to.keys()).includes("one/one.tar.gz"));
  });

  test(`${source} to ${destination}: every byte arrives, a second run copies nothing, and compare finds no difference`, async () => {
    const { from, to } = await places("whole");
    const files = await seedBackup(from, "one", filesOf("one", { contentBytes: 20 * 1024 ** 2 }));

    const first = await flotilla("backup", "copy", "one", ...between(from, to), "-o", "json");
    const compared = await flotilla("backup", "compare", "one", ...between(from, to));
    const second = await flotilla("backup", "copy", "--all", ...between(from, to), "-o", "json");

    assert.equal(first.exitCode, 0, first.stderr + first.stdout);
    assert.deepEqual(await differences(to, "one", files), []);
    assert.equal(compared.exitCode, 0, compared.stdout);
    assert.match(compared.stdout, /no differences between/);
    const [backup] = (JSON.parse(second.stdout) as { backups: { result: string; objects: { result: string }[] }[] })
      .backups;
    assert.equal(backup?.result, "present");
    assert.deepEqual(
      backup?.objects.map(({ result }) => result),
      Array.from(files, () => "present"),
    );
  });
}
