import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PutObjectLegalHoldCommand } from "@aws-sdk/client-s3";

import type { BlobRig } from "../wire-azure/blob-rig.ts";
import type { ObjectRig } from "../wire/object-rig.ts";
import { until } from "../wire/until.ts";
import { between, differences, filesOf, metadataOf, seedBackup, startAws, startAzure, startGcp } from "./place.ts";
import type { Cloud, Place } from "./place.ts";
import { startFlotilla } from "./run-flotilla.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let aws: Cloud & { readonly rig: ObjectRig };
let azure: Cloud & { readonly rig: BlobRig };
let gcp: Cloud;
let folder: string;

before(async () => {
  folder = await temporaryFolder();
  aws = await startAws({ buckets: [{ name: "held", objectLock: true }] });
  azure = await startAzure({ account: { containers: [{ name: "locked", isImmutable: true }] } });
  gcp = await startGcp();
});
after(async () => {
  for (const cloud of [aws, azure, gcp]) await cloud.close();
});

async function copy(from: Place, to: Place, ...words: readonly string[]) {
  return await startFlotilla(folder, ["backup", "copy", ...words, ...between(from, to)]).end;
}

const anotherOne = filesOf("one", { seed: "another" });

test("another backup of the same name is left as it is, and named", async () => {
  const [from, to] = [await azure.place("conflict"), await gcp.place("conflict")];
  await seedBackup(from, "one");
  await seedBackup(to, "one", anotherOne);

  const { exitCode, stdout } = await copy(from, to, "one");

  assert.equal(exitCode, 1);
  assert.match(stdout, /there is another backup one in bucket "conflict", one that started at 2026-11-20T01:00:00Z/);
  assert.match(stdout, /--overwrite replaces it/);
  assert.deepEqual(await differences(to, "one", anotherOne), []);
});

test("--overwrite hides the former backup before it touches anything else, and leaves nothing of it", async () => {
  const [from, to] = [await azure.place("overwrite"), await aws.place("overwrite")];
  const files = await seedBackup(from, "one");
  await seedBackup(
    to,
    "one",
    new Map([...anotherOne, ["one-csi-volumesnapshots.json.gz", anotherOne.get("one-logs.gz") ?? Buffer.alloc(0)]]),
  );
  const before = aws.requestsOf("overwrite").length;

  const { exitCode, stdout } = await copy(from, to, "one", "--overwrite");

  const changes = aws
    .requestsOf("overwrite")
    .slice(before)
    .filter(({ operation }) => /^(Put|Delete)Object/.test(operation));
  assert.equal(exitCode, 0, stdout);
  assert.deepEqual(await differences(to, "one", files), []);
  assert.deepEqual(
    [changes.at(0), changes.at(-1)].map((change) => `${change?.operation} ${change?.key}`),
    ["DeleteObject backups/one/velero-backup.json", "PutObject backups/one/velero-backup.json"],
  );
});

test("a held backup is not overwritten, and nothing of it is touched", async () => {
  const from = await azure.place("held");
  const to = await aws.place("held", { isThere: true });
  await seedBackup(from, "one");
  await seedBackup(to, "one", anotherOne);
  const held = { Bucket: "held", Key: to.key("one", "one.tar.gz"), LegalHold: { Status: "ON" as const } };
  await aws.rig.probe.send(new PutObjectLegalHoldCommand(held));

  const { exitCode, stdout } = await copy(from, to, "one", "--overwrite", "-o", "json");

  assert.equal(exitCode, 1);
  assert.match(stdout, /"errorKind": "held"/);
  assert.match(
    stdout,
    /one\.tar\.gz is under legal hold; nothing was changed: copy to another prefix or bucket, or wait/,
  );
  assert.deepEqual(await differences(to, "one", anotherOne), []);
});

test("an object that differs and is held at the target is an error that says until when", async () => {
  const from = await aws.place("locked");
  const to = await azure.place("locked", { isThere: true });
  await seedBackup(from, "one");
  await seedBackup(to, "one");
  await to.put("one", "one.tar.gz", anotherOne.get("one.tar.gz") ?? Buffer.alloc(0));
  const blob = azure.rig.container("locked").getBlobClient(to.key("one", "one.tar.gz"));
  await blob.setImmutabilityPolicy({ expiriesOn: new Date(Date.now() + 86_400_000), policyMode: "Unlocked" });

  const { exitCode, stdout } = await copy(from, to, "one", "-o", "json");

  assert.equal(exitCode, 1);
  assert.match(stdout, /"errorKind": "held"/);
  assert.match(stdout, /put object .*one\.tar\.gz.*immutab/);
});

test("leftovers of another backup in the folder are refused, since a server would read them as part of this one", async () => {
  const [from, to] = [await aws.place("leftovers"), await gcp.place("leftovers")];
  const files = await seedBackup(from, "one");
  await to.put("one", "one-csi-volumesnapshots.json.gz", files.get("one-logs.gz") ?? Buffer.alloc(0));

  const refused = await copy(from, to, "one");
  const overwritten = await copy(from, to, "one", "--overwrite");

  assert.equal(refused.exitCode, 1);
  assert.match(
    refused.stdout,
    /holds what is not of this backup \(one-csi-volumesnapshots\.json\.gz\): nothing was copied/,
  );
  assert.equal(overwritten.exitCode, 0, overwritten.stdout);
  assert.deepEqual(await differences(to, "one", files), []);
});

test("what a location's own copy has missed is mended, and nothing else is sent", async () => {
  const [from, to] = [await aws.place("mend"), await aws.place("mend-copy", { prefix: "eu" })];
  const files = await seedBackup(from, "one");
  await seedBackup(to, "one");
  await to.remove("one", "one-results.gz");
  await to.put("one", "one-logs.gz", anotherOne.get("one-logs.gz") ?? Buffer.alloc(0));
  const before = aws.requestsOf("mend-copy", "PutObject").length;

  const { exitCode, stdout } = await copy(from, to, "one");

  const puts = aws.requestsOf("mend-copy", "PutObject").slice(before);
  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /one +repaired +2 +4/);
  assert.deepEqual(await differences(to, "one", files), []);
  assert.deepEqual(
    new Set(puts.map(({ key }) => key)),
    new Set(["eu/backups/one/one-logs.gz", "eu/backups/one/one-results.gz"]),
  );
});

for (const [how, words] of [
  ["its name", ["one"]],
  ["--recheck", ["--all", "--recheck"]],
] as const)
  test(`a copy that has rotted under its checksum is mended by ${how}`, async () => {
    const name = `rot-${words.length}`;
    const [from, to] = [await gcp.place(name), await gcp.place(`${name}-copy`)];
    const files = await seedBackup(from, "one");
    await seedBackup(to, "one");
    await to.location.flipBit(to.key("one", "one.tar.gz"), 5);

    const { exitCode, stdout } = await copy(from, to, ...words);

    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /one +repaired +1 +5/);
    assert.deepEqual(await differences(to, "one", files), []);
  });

test("an earlier state of the same backup is brought up to date without being asked", async () => {
  const [from, to] = [await aws.place("state"), await azure.place("state")];
  const files = await seedBackup(from, "one");
  await seedBackup(to, "one");
  await to.put("one", "velero-backup.json", metadataOf("one", { phase: "Finalizing" }));

  const { exitCode, stdout } = await copy(from, to, "one");

  assert.equal(exitCode, 0, stdout);
  assert.deepEqual(await differences(to, "one", files), []);
});

test("a target whose metadata are damaged counts as another backup", async () => {
  const [from, to] = [await aws.place("rotten"), await azure.place("rotten")];
  const files = await seedBackup(from, "one");
  await seedBackup(to, "one");
  await to.location.flipBit(to.key("one", "velero-backup.json"), 40);

  const refused = await copy(from, to, "one");
  const overwritten = await copy(from, to, "one", "--overwrite");

  assert.equal(refused.exitCode, 1);
  assert.match(refused.stdout, /there is another backup one in bucket "rotten", one that cannot be read/);
  assert.equal(overwritten.exitCode, 0, overwritten.stdout);
  assert.deepEqual(await differences(to, "one", files), []);
});

test("a backup that changes while it is copied is not shown", async () => {
  const [from, to] = [await aws.place("moving"), await azure.place("moving")];
  await seedBackup(from, "one");
  const match = { operation: "PutBlob", key: /\.tar\.gz$/, bucket: "moving" };
  const wait = azure.faults.add({ kind: "delay", ms: 2500 }, match);
  const run = startFlotilla(folder, ["backup", "copy", "one", ...between(from, to)]);
  await until("the contents are being written", () => wait.hits > 0);

  await from.put("one", "velero-backup.json", metadataOf("one", { startedAt: "2026-11-21T01:00:00Z" }));
  const { exitCode, stdout } = await run.end;

  assert.equal(exitCode, 1);
  assert.match(stdout, /backup one was changed or deleted at the source while it was copied: copy it again/);
  assert.equal(await to.shows("one"), false);
});

test("a backup whose contents the server replaces while they are copied is not shown, though its metadata stay", async () => {
  const [from, to] = [await aws.place("finalizing"), await azure.place("finalizing")];
  await seedBackup(from, "one");
  const match = { operation: "PutBlob", key: /\.tar\.gz$/, bucket: "finalizing" };
  const wait = azure.faults.add({ kind: "delay", ms: 2500 }, match);
  const run = startFlotilla(folder, ["backup", "copy", "one", ...between(from, to)]);
  await until("the contents are being written", () => wait.hits > 0);

  await from.put("one", "one.tar.gz", filesOf("one", { seed: "with the operations" }).get("one.tar.gz") ?? Buffer.of());
  const first = await run.end;
  const again = await copy(from, to, "one");

  assert.equal(first.exitCode, 1);
  assert.match(first.stdout, /backup one was changed or deleted at the source while it was copied: copy it again/);
  assert.equal(again.exitCode, 0, again.stdout);
  assert.ok((await to.get("one", "one.tar.gz")).equals(await from.get("one", "one.tar.gz")));
});

test("--newest copies the newest so many", async () => {
  const [from, to] = [await aws.place("newest"), await azure.place("newest")];
  for (const [name, day] of [
    ["a", 3],
    ["b", 1],
    ["c", 2],
  ] as const) {
    await seedBackup(from, name);
    await from.put(name, "velero-backup.json", metadataOf(name, { startedAt: `2026-11-0${day}T01:00:00Z` }));
  }

  const { exitCode, stdout } = await copy(from, to, "--newest", "2");

  assert.equal(exitCode, 0, stdout);
  assert.deepEqual([await to.shows("a"), await to.shows("b"), await to.shows("c")], [true, false, true]);
});

test("wrong words are refused with exit code 2 and what to give", async () => {
  const [from, to] = [await aws.place("words"), await azure.place("words", { accessMode: "ReadOnly" })];

  const [same, readOnly, none, both] = [
    await copy(from, from, "one"),
    await copy(from, to, "one"),
    await copy(from, to),
    await copy(from, to, "one", "--all"),
  ];

  assert.deepEqual(
    [same, readOnly, none, both].map(({ exitCode }) => exitCode),
    [2, 2, 2, 2],
  );
  assert.match(same.stderr, /--from and --to are the same place: bucket words/);
  assert.match(readOnly.stderr, /the location words of --to is ReadOnly/);
  assert.match(none.stderr, /which backups: give their names, or --all, or --newest N/);
});
