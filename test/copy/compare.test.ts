import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { between, filesOf, metadataOf, seedBackup, startAws, startAzure, startGcp } from "./place.ts";
import type { Cloud, Place } from "./place.ts";
import { startFlotilla } from "./run-flotilla.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let clouds: Readonly<Record<"aws" | "azure" | "gcp", Cloud>>;
let folder: string;

before(async () => {
  folder = await temporaryFolder();
  clouds = { aws: await startAws(), azure: await startAzure(), gcp: await startGcp() };
});
after(async () => {
  for (const cloud of Object.values(clouds)) await cloud.close();
});

interface Verdict {
  readonly isSame: boolean;
  readonly backups: readonly {
    readonly name: string;
    readonly standing: string;
    readonly objects: readonly { readonly file: string; readonly standing: string; readonly evidence: string }[];
  }[];
}

async function compare(from: Place, to: Place, ...words: readonly string[]) {
  const run = await startFlotilla(folder, ["backup", "compare", ...words, ...between(from, to), "-o", "json"]).end;
  return { ...run, verdict: JSON.parse(run.stdout) as Verdict };
}

function standings({ backups }: Verdict): Readonly<Record<string, string>> {
  const objects = backups.flatMap((backup) => backup.objects);
  return Object.fromEntries(
    objects.filter(({ standing }) => standing !== "same").map(({ file, standing }) => [file, standing]),
  );
}

test("each kind of difference is told with its object, and the exit code is 1", async () => {
  const [from, to] = [await clouds.aws.place("kinds"), await clouds.azure.place("kinds")];
  const files = await seedBackup(from, "one");
  await seedBackup(to, "one");
  const results = files.get("one-results.gz") ?? Buffer.alloc(0);
  await to.remove("one", "one-logs.gz");
  await to.put("one", "one-resource-list.json.gz", results);
  await to.put("one", "one-extra.json.gz", results);
  await to.put("one", "one.tar.gz", filesOf("one", { seed: "two" }).get("one.tar.gz") ?? Buffer.alloc(0));
  await from.location.flipBit(from.key("one", "one-volumesnapshots.json.gz"), 3);

  const { exitCode, verdict } = await compare(from, to, "one", "--read", "always");

  assert.equal(exitCode, 1);
  assert.equal(verdict.isSame, false);
  assert.deepEqual(standings(verdict), {
    "one-extra.json.gz": "extra",
    "one-logs.gz": "missing",
    "one-resource-list.json.gz": "other-size",
    "one-volumesnapshots.json.gz": "corrupt",
    "one.tar.gz": "other-checksum",
  });
});

test("between two clouds one side is read, against what the other has recorded", async () => {
  const [from, to] = [await clouds.aws.place("half"), await clouds.gcp.place("half")];
  await seedBackup(from, "one");
  await seedBackup(to, "one");
  await to.put("one", "one.tar.gz", filesOf("one", { seed: "two" }).get("one.tar.gz") ?? Buffer.alloc(0));
  const before = clouds.aws.requestsOf("half", "GetObject").length;

  const { exitCode, verdict } = await compare(from, to, "one");

  assert.equal(exitCode, 1);
  assert.deepEqual(standings(verdict), { "one.tar.gz": "other-checksum" });
  assert.equal(verdict.backups[0]?.objects[0]?.evidence, "read, against the recorded crc32");
  assert.equal(clouds.aws.requestsOf("half", "GetObject").length, before);
});

test("within a cloud nothing is read, unless it is asked for, and then what has rotted is found", async () => {
  const [from, to] = [await clouds.gcp.place("rot"), await clouds.gcp.place("rot-copy")];
  await seedBackup(from, "one");
  await seedBackup(to, "one");
  await to.location.flipBit(to.key("one", "one.tar.gz"), 5);
  const before = clouds.gcp.requestsOf("rot-copy", "ReadObject").length;

  const recorded = await compare(from, to, "one");
  const reads = clouds.gcp.requestsOf("rot-copy", "ReadObject").length - before;
  const read = await compare(from, to, "one", "--read", "always");

  assert.equal(recorded.exitCode, 0, recorded.stdout);
  assert.equal(reads, 0);
  assert.equal(read.exitCode, 1);
  assert.deepEqual(standings(read.verdict), { "one.tar.gz": "corrupt" });
});

test("without reading, objects of two clouds of the same size are unverifiable, which is said and is no difference", async () => {
  const [from, to] = [await clouds.aws.place("unread"), await clouds.azure.place("unread")];
  await seedBackup(from, "one");
  await seedBackup(to, "one");
  const words = ["backup", "compare", "one", "--read", "never", ...between(from, to)];

  const { exitCode, stdout } = await startFlotilla(folder, words).end;

  assert.equal(exitCode, 0, stdout);
  assert.match(stdout, /one\.tar\.gz +unverifiable/);
  assert.match(stdout, /of 6 objects only the size was compared \(--read needed reads them\)/);
});

test("--all tells the backups of one location only, and passes over those under way", async () => {
  const [from, to] = [await clouds.aws.place("all"), await clouds.azure.place("all")];
  for (const name of ["here", "both", "new"]) await seedBackup(from, name);
  for (const name of ["both", "old"]) await seedBackup(to, name);
  await from.put("new", "velero-backup.json", metadataOf("new", { phase: "InProgress" }));

  const strict = await compare(from, to, "--all");
  await from.remove("here", "velero-backup.json");
  const lenient = await compare(from, to, "--all", "--ignore-extra");

  assert.equal(strict.exitCode, 1);
  assert.deepEqual(
    strict.verdict.backups.map(({ name, standing }) => `${name} ${standing}`),
    ["both same", "here missing", "new unfinished", "old extra"],
  );
  assert.equal(lenient.exitCode, 0, lenient.stdout);
});

test("a backup that has lost its metadata at --from differs, and is not taken for one under way", async () => {
  const [from, to] = [await clouds.aws.place("headless"), await clouds.aws.place("whole")];
  await seedBackup(from, "one");
  await seedBackup(to, "one");
  await from.remove("one", "velero-backup.json");

  const { exitCode, verdict } = await compare(from, to, "--all");

  assert.equal(exitCode, 1);
  assert.deepEqual(standings(verdict), { "velero-backup.json": "extra" });
});

test("a location that does not answer is a failure, not a difference that is not there", async () => {
  const [from, to] = [await clouds.aws.place("denied"), await clouds.azure.place("denied")];
  await seedBackup(from, "one");
  await seedBackup(to, "one");
  const refusal = { kind: "error", status: 403, code: "AuthorizationFailure" } as const;
  const fault = clouds.azure.faults.add(refusal, { bucket: "denied", operation: "GetBlob" }, { times: Infinity });

  const { exitCode, verdict } = await compare(from, to, "one");

  fault.remove();
  assert.equal(exitCode, 1);
  assert.equal(standings(verdict)["one.tar.gz"], "unreadable");
});
