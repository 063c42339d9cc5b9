import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { status } from "@grpc/grpc-js";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess } from "../testing/fixture-process.ts";
import { velero } from "../wire/index.ts";

const { method } = velero.VolumeSnapshotter;
const plugin = fixtureName;

// Two locations of one name, as the server opens them in one process: the second is the newest.
let fixture: FixtureProcess;
before(async () => {
  fixture = new FixtureProcess();
  await fixture.initVolumeSnapshotter({ region: "west" });
  await fixture.initVolumeSnapshotter({ region: "east" });
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("a call before any Init says what is missing", async () => {
  await using fresh = new FixtureProcess();

  const call = fresh.call(method.getVolumeInfo, { plugin, volumeID: "v" });

  await assert.rejects(call, { code: status.INVALID_ARGUMENT, details: /Init must be called/ });
});

test("a volume that no location knows is not found", async () => {
  const call = fixture.call(method.createSnapshot, { plugin, volumeID: "north-vol-1", volumeAZ: "", tags: {} });

  await assert.rejects(call, { code: status.NOT_FOUND, details: /north-vol-1.*not found/ });
});

for (const region of ["east", "west"]) {
  test(`a volume of ${region} is snapshotted, restored and deleted where it is known`, async () => {
    const tags = { "velero.io/backup": "b" };

    const { snapshotID } = await fixture.call(method.createSnapshot, { plugin, volumeID: `${region}-vol-1`, tags });
    const { volumeID } = await fixture.call(method.createVolumeFromSnapshot, { plugin, snapshotID, iops: 300n });
    const info = await fixture.call(method.getVolumeInfo, { plugin, volumeID });
    await fixture.call(method.deleteSnapshot, { plugin, snapshotID });

    assert.ok(snapshotID.startsWith(`${region}-snap-`));
    assert.ok(volumeID.startsWith(`${region}-restored-`));
    assert.equal(info.iops, 300n);
    const again = fixture.call(method.createVolumeFromSnapshot, { plugin, snapshotID });
    await assert.rejects(again, { code: status.NOT_FOUND });
  });
}

test("zero iops mean that none were recorded, both ways", async () => {
  const { snapshotID } = await fixture.call(method.createSnapshot, { plugin, volumeID: "east-vol-2", tags: {} });

  const { volumeID } = await fixture.call(method.createVolumeFromSnapshot, { plugin, snapshotID, iops: 0n });

  assert.equal((await fixture.call(method.getVolumeInfo, { plugin, volumeID })).iops, 0n);
});

test("deleting a snapshot that no location knows succeeds", async () => {
  await fixture.call(method.deleteSnapshot, { plugin, snapshotID: "north-snap-1" });
});

test("a PersistentVolume of another driver has no volume id and no error", async () => {
  const { volumeID } = await fixture.call(method.getVolumeID, {
    plugin,
    persistentVolume: volumeJson("other.io", "h"),
  });

  assert.equal(volumeID, "");
});

test("a PersistentVolume comes back whole, with unknown fields and large numbers as they were", async () => {
  const persistentVolume = volumeJson("memory.flotilla.io", "west-vol-1");

  const before = await fixture.call(method.getVolumeID, { plugin, persistentVolume });
  const changed = await fixture.call(method.setVolumeID, { plugin, persistentVolume, volumeID: "west-vol-2" });

  assert.equal(before.volumeID, "west-vol-1");
  const expected = Buffer.from(persistentVolume).toString().replace("west-vol-1", "west-vol-2");
  assert.equal(Buffer.from(changed.persistentVolume).toString(), expected);
});

for (const text of ["", "{", "[]", "5", "null"]) {
  test(`"${text}" is refused as a PersistentVolume`, async () => {
    const call = fixture.call(method.getVolumeID, { plugin, persistentVolume: Buffer.from(text) });

    await assert.rejects(call, { code: status.INVALID_ARGUMENT, details: /PersistentVolume is no JSON/ });
  });
}

function volumeJson(driver: string, handle: string): Uint8Array {
  return Buffer.from(
    `{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"generation":9007199254740993},` +
      `"spec":{"csi":{"driver":"${driver}","volumeHandle":"${handle}"},"unknown":[1.50,null]}}`,
  );
}
