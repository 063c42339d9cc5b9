import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { printSnapshotRecord, readSnapshotRecords } from "./snapshot-record.ts";

const gzipped = (value: unknown) => gzipSync(JSON.stringify(value));

const record = {
  backupName: "b",
  backupUid: "u",
  location: "default",
  persistentVolumeName: "pv",
  volumeId: "vol-1",
  volumeType: "io2",
  volumeAz: "us-east-1a",
  iops: 5000n,
  snapshotId: "snap-1",
};

test("what is not gzip, not JSON or not a list is corrupt", async () => {
  for (const bytes of [Buffer.from("x"), gzipSync("{"), gzipped({})]) {
    await assert.rejects(readSnapshotRecords(bytes, "snapshots"), { kind: "corrupt" });
  }
});

test("an empty list of the server is null", async () => {
  assert.deepEqual(await readSnapshotRecords(gzipped(null), "snapshots"), []);
});

test("a snapshot that was never completed has no id and is left out", async () => {
  const failed = { spec: { persistentVolumeName: "pv" }, status: { phase: "Failed" } };

  assert.deepEqual(await readSnapshotRecords(gzipped([failed]), "snapshots"), []);
});

test("a record is written with the server's field names and read back as it was", async () => {
  const printed = printSnapshotRecord(record);

  assert.deepEqual(printed, {
    spec: {
      backupName: "b",
      backupUID: "u",
      location: "default",
      persistentVolumeName: "pv",
      providerVolumeID: "vol-1",
      volumeType: "io2",
      volumeAZ: "us-east-1a",
      volumeIOPS: 5000,
    },
    status: { providerSnapshotID: "snap-1", phase: "Completed" },
  });
  assert.deepEqual(await readSnapshotRecords(gzipped([printed]), "snapshots"), [record]);
});

test("a volume without IOPS and zone is recorded without them", () => {
  const { spec } = printSnapshotRecord({ ...record, iops: undefined, volumeAz: "" });

  assert.deepEqual(
    Object.keys(spec ?? {}).filter((name) => /IOPS|AZ/.test(name)),
    [],
  );
});
