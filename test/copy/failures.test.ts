import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { BlobRig } from "../wire-azure/blob-rig.ts";
import { mebibyte } from "../wire/bytes.ts";
import { smallParts } from "../wire/object-rig.ts";
import { until } from "../wire/until.ts";
import { between, differences, filesOf, metadataOf, seedBackup, startAws, startAzure, startGcp } from "./place.ts";
import type { Cloud, Place } from "./place.ts";
import { startFlotilla } from "./run-flotilla.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let clouds: Readonly<Record<"aws" | "forgetful" | "gcp", Cloud>> & {
  readonly azure: Cloud & { readonly rig: BlobRig };
};
let folder: string;

before(async () => {
  folder = await temporaryFolder();
  clouds = {
    aws: await startAws(),
    // As many compatible stores: nothing that is stored can be compared with anything.
    forgetful: await startAws({ keepsChecksums: false }),
    azure: await startAzure(),
    gcp: await startGcp(),
  };
});
after(async () => {
  for (const cloud of Object.values(clouds)) await cloud.close();
});

async function copy(from: Place, to: Place, ...words: readonly string[]) {
  return await startFlotilla(folder, ["backup", "copy", ...words, ...between(from, to)]).end;
}

const contents = /one\.tar\.gz$/;

test("a connection to the source that is cut in the middle of an object is taken up again, and every byte arrives", async () => {
  const [from, to] = [await clouds.aws.place("cut-source"), await clouds.azure.place("cut-source")];
  const files = await seedBackup(from, "one", filesOf("one", { contentBytes: 3 * mebibyte }));
  const match = { operation: "GetObject", bucket: "cut-source", key: contents };
  const cut = clouds.aws.faults.add({ kind: "cut-response", afterBytes: mebibyte }, match, { times: 2 });

  const { exitCode, stderr } = await copy(from, to, "one");

  assert.equal(exitCode, 0, stderr);
  assert.equal(cut.hits, 2);
  assert.deepEqual(await differences(to, "one", files), []);
});

test("a connection to the target that is cut in the middle of an object is taken up again, and every byte arrives", async () => {
  const [from, to] = [await clouds.azure.place("cut-target"), await clouds.gcp.place("cut-target")];
  const files = await seedBackup(from, "one", filesOf("one", { contentBytes: 3 * mebibyte }));
  const match = { bucket: "cut-target", where: isPut("gcp") };
  const cut = clouds.gcp.faults.add({ kind: "cut-request", afterBytes: 100_000 }, match);

  const { exitCode, stdout, stderr } = await copy(from, to, "one");

  assert.equal(exitCode, 0, stdout + stderr);
  assert.equal(cut.hits, 1);
  assert.deepEqual(await differences(to, "one", files), []);
});

test("a source that cannot be read to its end fails the copy, shows nothing, and the next run brings the rest", async () => {
  const [from, to] = [await clouds.gcp.place("lost-source"), await clouds.aws.place("lost-source")];
  const files = await seedBackup(from, "one");
  const match = { operation: "ReadObject", bucket: "lost-source", key: contents };
  const refusal = { kind: "error", status: 403, code: "forbidden" } as const;
  const fault = clouds.gcp.faults.add(refusal, match, { times: Infinity });

  const failed = await copy(from, to, "one", "-o", "json");
  const wasShown = await to.shows("one");
  fault.remove();
  const repeated = await copy(from, to, "one");

  assert.equal(failed.exitCode, 1);
  assert.match(failed.stdout, /"errorKind": "denied"/);
  assert.equal(wasShown, false);
  assert.equal(repeated.exitCode, 0, repeated.stdout);
  assert.deepEqual(await differences(to, "one", files), []);
});

for (const { what, status, code } of [
  { what: "that denies the writes", status: 403, code: "AccessDenied" },
  { what: "that is full", status: 507, code: "XMinioStorageFull" },
]) {
  test(`a target ${what} fails the copy with its reason, and shows nothing`, async () => {
    const bucket = `refusing-${status}`;
    const [from, to] = [await clouds.azure.place(bucket), await clouds.aws.place(bucket)];
    await seedBackup(from, "one");
    const match = { operation: "PutObject", bucket, key: contents };
    const fault = clouds.aws.faults.add({ kind: "error", status, code }, match, { times: Infinity });

    const { exitCode, stdout } = await copy(from, to, "one");

    fault.remove();
    assert.equal(exitCode, 1);
    assert.match(stdout, new RegExp(`one +failed .*put object "backups/one/one\\.tar\\.gz".*${code}`));
    assert.equal(await to.shows("one"), false);
  });
}

test("a target that gives back other bytes than it was sent is found out, though it recorded nothing to compare", async () => {
  const from = await clouds.azure.place("lying");
  const to = await clouds.forgetful.place("lying", { config: smallParts });
  const files = await seedBackup(from, "one", filesOf("one", { contentBytes: 12 * mebibyte }));
  const match = { operation: "GetObject", bucket: "lying", key: contents };
  const lie = clouds.forgetful.faults.add({ kind: "corrupt-response", atByte: 1234 }, match, { times: Infinity });

  const failed = await copy(from, to, "one");
  const [wasShown, keys] = [await to.shows("one"), await to.keys()];
  lie.remove();
  const repeated = await copy(from, to, "one");

  assert.equal(failed.exitCode, 1);
  assert.match(failed.stdout, /verify the copy .*one\.tar\.gz.* were sent, .* came back; the copy was removed again/);
  assert.equal(wasShown, false);
  assert.ok(!keys.includes("one/one.tar.gz"));
  assert.equal(repeated.exitCode, 0, repeated.stdout);
  assert.deepEqual(await differences(to, "one", files), []);
});

test("a bit that flips below the target after it acknowledged the object is found out", async () => {
  const [from, to] = [await clouds.aws.place("flipping"), await clouds.azure.place("flipping")];
  await seedBackup(from, "one");
  const match = { operation: "GetBlob", bucket: "flipping", key: contents };
  const wait = clouds.azure.faults.add({ kind: "delay", ms: 2000 }, match);
  const run = startFlotilla(folder, ["backup", "copy", "one", ...between(from, to)]);
  await until("the copy is read back", () => wait.hits > 0);

  await to.location.flipBit(to.key("one", "one.tar.gz"), 1000);
  const { exitCode, stdout } = await run.end;

  assert.equal(exitCode, 1);
  assert.match(stdout, /verify the copy .*its md5 is recorded as .*; the copy was removed again/);
  assert.equal(await to.shows("one"), false);
});

test("what is corrupt at a source that recorded no checksum is found out by gzip's own", async () => {
  const [from, to] = [await clouds.azure.place("bare"), await clouds.gcp.place("bare")];
  const files = await seedBackup(from, "one");
  const contents = files.get("one.tar.gz") ?? Buffer.alloc(0);
  // As the official plugin stores it: in blocks, which leave no MD5.
  const blob = clouds.azure.rig.container("bare").getBlockBlobClient(from.key("one", "one.tar.gz"));
  await blob.stageBlock("AAAA", contents, contents.length);
  await blob.commitBlockList(["AAAA"]);
  await from.location.flipBit(from.key("one", "one.tar.gz"), 1000);

  const failed = await copy(from, to, "one");
  const keys = await to.keys();
  await from.location.flipBit(from.key("one", "one.tar.gz"), 1000);
  const repeated = await copy(from, to, "one");

  assert.equal(failed.exitCode, 1);
  assert.match(
    failed.stdout,
    /one\.tar\.gz" in bucket "bare": it is no whole gzip data: .*it is damaged at the source/,
  );
  assert.ok(!keys.includes("one/one.tar.gz"));
  assert.match(repeated.stdout, /one\.tar\.gz +copied .* unpacked, read back/);
  assert.deepEqual(await differences(to, "one", files), []);
});

test("a backup that has lost its contents is not copied", async () => {
  const [from, to] = [await clouds.aws.place("hollow"), await clouds.azure.place("hollow")];
  await seedBackup(from, "one");
  await from.remove("one", "one.tar.gz");

  const { exitCode, stdout } = await copy(from, to, "one");

  assert.equal(exitCode, 1);
  assert.match(stdout, /backup one has lost its contents .*: it cannot be restored as it was, and is not copied/);
  assert.deepEqual(await to.keys(), []);
});

test("a backup that the server still writes is refused by name, and passed over with --all", async () => {
  const [from, to] = [await clouds.aws.place("unfinished"), await clouds.azure.place("unfinished")];
  await seedBackup(from, "one");
  await seedBackup(from, "two");
  await from.put("two", "velero-backup.json", metadataOf("two", { phase: "Finalizing" }));
  await from.put("three", "three-logs.gz", filesOf("three").get("three-logs.gz") ?? Buffer.alloc(0));

  const named = await copy(from, to, "two");
  const all = await copy(from, to, "--all");

  assert.equal(named.exitCode, 1);
  assert.match(named.stdout, /backup two is not finished: its phase is Finalizing; copy it once the server is done/);
  assert.equal(all.exitCode, 0, all.stdout);
  assert.match(all.stdout, /three +unfinished .*it has no velero-backup\.json/);
  assert.match(all.stdout, /backups: 1 copied, 2 unfinished;/);
  assert.deepEqual([await to.shows("one"), await to.shows("two")], [true, false]);
});

test("one backup that fails does not keep the others, and the exit code says so", async () => {
  const [from, to] = [await clouds.aws.place("mixed"), await clouds.gcp.place("mixed")];
  for (const name of ["one", "three", "two"]) await seedBackup(from, name);
  await from.location.flipBit(from.key("two", "two.tar.gz"), 9);

  const { exitCode, stdout } = await copy(from, to, "--all");

  assert.equal(exitCode, 1);
  assert.match(stdout, /backups: 2 copied, 1 FAILED;/);
  assert.deepEqual([await to.shows("one"), await to.shows("two"), await to.shows("three")], [true, false, true]);
});

function isPut(provider: "gcp") {
  const operations = { gcp: ["InsertObject", "ContinueUpload"] }[provider];
  return ({ operation, headers }: { operation: string; headers: ReadonlyMap<string, string> }): boolean =>
    operations.includes(operation) && Number(headers.get("content-length")) > mebibyte;
}
