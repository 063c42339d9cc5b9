import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Fault, FaultMatch } from "@flotilla/test/emulators";

import { until } from "../wire/until.ts";
import { between, differences, seedBackup, startAws, startAzure } from "./place.ts";
import type { Cloud } from "./place.ts";
import { startFlotilla } from "./run-flotilla.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let aws: Cloud;
let azure: Cloud;
let folder: string;

before(async () => {
  folder = await temporaryFolder();
  [aws, azure] = [await startAws(), await startAzure()];
});
after(async () => {
  await aws.close();
  await azure.close();
});

/** Where the copy stands when it is killed: in front of, in or behind each of its steps. */
const stages: readonly {
  readonly stage: string;
  readonly side: "from" | "to";
  readonly fault: Fault;
  readonly match: FaultMatch;
  /** Whether a server may see the backup by then, whole. */
  readonly isVisible?: boolean;
}[] = [
  {
    stage: "the source is being listed",
    side: "from",
    fault: { kind: "stall-response", afterBytes: 10 },
    match: { operation: "ListObjectsV2" },
  },
  {
    stage: "a small object is being read",
    side: "from",
    fault: { kind: "stall-response", afterBytes: 10 },
    match: { operation: "GetObject", key: /results\.gz$/ },
  },
  {
    stage: "the contents are being read",
    side: "from",
    fault: { kind: "stall-response", afterBytes: 100_000 },
    match: { operation: "GetObject", key: /\.tar\.gz$/ },
  },
  {
    stage: "the contents are being written",
    side: "to",
    fault: { kind: "stall-request", afterBytes: 100_000 },
    match: { operation: "PutBlob", key: /\.tar\.gz$/ },
  },
  {
    stage: "the contents are being read back",
    side: "to",
    fault: { kind: "stall-response", afterBytes: 100_000 },
    match: { operation: "GetBlob", key: /\.tar\.gz$/ },
  },
  {
    stage: "the metadata are being written",
    side: "to",
    fault: { kind: "stall-request", afterBytes: 1 },
    match: { operation: "PutBlob", key: /velero-backup\.json$/ },
  },
  {
    stage: "the metadata are being read back",
    side: "to",
    fault: { kind: "stall-response", afterBytes: 1 },
    match: { operation: "GetBlob", key: /velero-backup\.json$/ },
    isVisible: true,
  },
];

for (const [index, { stage, side, fault, match, isVisible = false }] of stages.entries()) {
  test(`killed while ${stage}, no half of a backup is seen, and the next run brings the rest`, async () => {
    const bucket = `killed-${index}`;
    const [from, to] = [await aws.place(bucket), await azure.place(bucket)];
    const files = await seedBackup(from, "one");
    const cloud = side === "from" ? aws : azure;
    const stall = cloud.faults.add(fault, { ...match, bucket }, { times: Infinity });
    const words = ["backup", "copy", "one", ...between(from, to), "--parallel", "1"];
    const killed = startFlotilla(folder, words);
    await until(`it is killed while ${stage}`, () => stall.hits > 0);

    killed.kill("SIGKILL");
    await killed.end;
    stall.remove();
    cloud.faults.clear();
    const wasSeen = await to.shows("one");
    const arrived = new Set(await to.keys());
    const sentBefore = azure.requestsOf(bucket, "PutBlob").length;
    const { exitCode, stdout } = await startFlotilla(folder, words).end;

    assert.equal(wasSeen, isVisible);
    assert.equal(exitCode, 0, stdout);
    assert.deepEqual(await differences(to, "one", files), []);
    // What had arrived whole is not sent again.
    assert.equal(azure.requestsOf(bucket, "PutBlob").length - sentBefore, files.size - arrived.size);
  });
}

test("an interruption by the user ends with exit code 130, and shows nothing", async () => {
  const [from, to] = [await aws.place("interrupted"), await azure.place("interrupted")];
  await seedBackup(from, "one");
  const match = { operation: "GetObject", key: /\.tar\.gz$/, bucket: "interrupted" };
  const stall = aws.faults.add({ kind: "stall-response", afterBytes: 1000 }, match, { times: Infinity });
  const run = startFlotilla(folder, ["backup", "copy", "one", ...between(from, to)]);
  await until("the contents are being read", () => stall.hits > 0);

  run.kill("SIGINT");
  const { exitCode, stderr } = await run.end;

  aws.faults.clear();
  assert.equal(exitCode, 130);
  assert.match(stderr, /error: interrupted/);
  assert.equal(await to.shows("one"), false);
});

test("with --watch a backup that is made later is copied in a later round", async () => {
  const [from, to] = [await aws.place("watched"), await azure.place("watched")];
  await seedBackup(from, "one");
  const run = startFlotilla(folder, [
    "backup",
    "copy",
    "--all",
    "--watch",
    "--interval",
    "500ms",
    ...between(from, to),
  ]);
  await until("the first backup is copied", async () => await to.shows("one"));

  const files = await seedBackup(from, "two");
  await until("the second backup is copied", async () => await to.shows("two"));
  run.kill("SIGTERM");
  const { exitCode, stdout } = await run.end;

  assert.equal(exitCode, 130);
  assert.match(stdout, /backups: 1 copied;/);
  assert.deepEqual(await differences(to, "two", files), []);
});
