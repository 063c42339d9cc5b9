import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";

import { between, seedBackup, startAws } from "./place.ts";
import type { Cloud, Place } from "./place.ts";
import { startFlotilla } from "./run-flotilla.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let cloud: Cloud;
let folder: string;

before(async () => {
  folder = await temporaryFolder();
  cloud = await startAws();
});
after(() => cloud.close());

interface Judged {
  readonly objects?: readonly { readonly key: string; readonly status: string }[];
  readonly backups?: readonly {
    readonly objects: readonly { readonly file: string; readonly standing: string }[];
  }[];
}

/** A backup with its copy, of which one object is damaged and one is lost at home. */
async function damagedHome(name: string): Promise<{ readonly home: Place; readonly away: Place }> {
  const away = await cloud.place(`${name}-away`);
  const home = await cloud.place(name, { config: { copyTo: `s3://${name}-away` } });
  await seedBackup(home, "one");
  await home.location.flipBit(home.key("one", "one-results.gz"), 20);
  const beside = await cloud.place(name, { isThere: true });
  await beside.remove("one", "one-logs.gz");
  // The file was written over by that of the view from beside.
  return { home: await cloud.place(name, { config: { copyTo: `s3://${name}-away` }, isThere: true }), away };
}

async function run(words: readonly string[]): Promise<{ readonly exitCode: number | null; readonly judged: Judged }> {
  const { exitCode, stdout, stderr } = await startFlotilla(folder, [...words, "-o", "json"]).end;
  assert.notEqual(stdout, "", stderr);
  return { exitCode, judged: JSON.parse(stdout) as Judged };
}

test("verify judges a location itself, whatever its copies could give instead", async () => {
  const { home } = await damagedHome("verify-home");
  // Served from the copy to the server, as it should be.
  assert.ok((await home.get("one", "one-results.gz")).length > 0);

  const flags = ["--location", home.bsl, "--credentials-file", home.credentialsFile];
  const { exitCode, judged } = await run(["backup", "verify", "one", ...flags]);

  assert.equal(exitCode, 1);
  const results = judged.objects?.find(({ key }) => key === home.key("one", "one-results.gz"));
  assert.equal(results?.status, "corrupt");
});

test("compare finds what has rotted in a location that has copies", async () => {
  const { home, away } = await damagedHome("compare-home");

  const { exitCode, judged } = await run(["backup", "compare", "one", ...between(home, away), "--read", "always"]);

  assert.equal(exitCode, 1);
  const objects = judged.backups?.[0]?.objects ?? [];
  assert.deepEqual(
    objects.filter(({ standing }) => standing !== "same").map(({ file, standing }) => `${file} ${standing}`),
    ["one-logs.gz extra", "one-results.gz corrupt"],
  );
});

test("what a location has lost is brought back from its copy", async () => {
  const { home, away } = await damagedHome("mend-home");

  const { exitCode } = await run(["backup", "copy", "one", ...between(away, home)]);

  assert.equal(exitCode, 0);
  const beside = await cloud.place("mend-home", { isThere: true });
  assert.ok((await beside.get("one", "one-logs.gz")).equals(await away.get("one", "one-logs.gz")));
});

test("what a location gives back damaged is not taken for copied because its own copy is whole", async () => {
  const from = await cloud.place("written-from");
  await seedBackup(from, "one");
  await cloud.place("written-away");
  const home = await cloud.place("written-home", { config: { copyTo: "s3://written-away" } });
  const match = { operation: "GetObject", bucket: "written-home" };
  cloud.faults.add({ kind: "corrupt-response", atByte: 5 }, match, { times: Infinity });

  const { exitCode } = await run(["backup", "copy", "one", ...between(from, home)]);

  assert.equal(exitCode, 1);
  assert.equal(await home.shows("one"), false);
});

test("a backup of a location that is out of reach is downloaded from the copies, though nothing lists it", async () => {
  const name = "download-home";
  await cloud.place(`${name}-away`);
  const home = await cloud.place(name, { config: { copyTo: `s3://${name}-away` } });
  await seedBackup(home, "one");
  const contents = await home.get("one", "one.tar.gz");
  const lost = { kind: "error", status: 503, code: "ServiceUnavailable" } as const;
  const fault = cloud.faults.add(lost, { bucket: name }, { times: 1_000_000 });
  const flags = ["--location", home.bsl, "--credentials-file", home.credentialsFile];
  const to = join(folder, "downloaded");

  const downloaded = await startFlotilla(folder, ["backup", "download", "one", "--to", to, ...flags]).end;
  const listed = await startFlotilla(folder, ["backup", "list", ...flags]).end;
  fault.remove();

  assert.equal(downloaded.exitCode, 0, downloaded.stderr);
  assert.ok((await readFile(join(to, "one.tar.gz"))).equals(contents));
  assert.deepEqual((await readdir(to)).toSorted(), (await home.keys()).map((key) => basename(key)).toSorted());
  assert.equal(listed.exitCode, 1);
  assert.match(
    listed.stderr,
    /a copy is not asked for a list.*s3:\/\/download-home-away, open it as a location of its own/,
  );
});
