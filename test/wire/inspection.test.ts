import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { after, describe, test } from "node:test";

import { ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import type { Account } from "@flotilla/test/emulators";

import { bytesOf, collectAll, failureOf } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";
import { startVolumeRig } from "./volume-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());
const volumes = await startVolumeRig();
after(() => volumes.close());

function withRights(name: string, deny: readonly string[]): Account {
  return { accessKeyId: `AKIA${name}`, secretAccessKey: `${name}-secret`, deny };
}

const objectPermissions = [
  "s3:ListBucket",
  "s3:PutObject",
  "s3:GetObject",
  "s3:DeleteObject",
  "s3:AbortMultipartUpload",
];
const volumePermissions = [
  "ec2:DescribeVolumes",
  "ec2:DescribeSnapshots",
  "ec2:CreateSnapshot",
  "ec2:CreateTags",
  "ec2:CreateVolume",
  "ec2:DeleteSnapshot",
];

describe("the check of a BackupStorageLocation", { concurrency: true }, () => {
  for (const denied of objectPermissions) {
    test(`a missing ${denied} is named`, async () => {
      const name = denied.replace("s3:", "").toLowerCase();
      const account = withRights(name.toUpperCase(), [denied]);
      rig.accounts.add(account);
      const location = await rig.open(`check-${name}`, { account });

      const findings = await collectAll(location.store.check());

      const failures = findings.filter(({ severity }) => severity === "failure");
      assert.deepEqual(
        failures.map(({ subject }) => subject),
        [denied],
      );
      assert.match(failures[0]?.remedy ?? "", new RegExp(denied));
    });
  }

  test("a missing bucket is one failure that names it", async () => {
    const location = await rig.open("check-no-bucket", { bucketIs: "missing" });

    const findings = await collectAll(location.store.check());

    const failures = findings.filter(({ severity }) => severity === "failure");
    assert.equal(failures.length, 1);
    assert.match(`${failures[0]?.detail}`, /check-no-bucket/);
  });

  test("all is well on a good location, and nothing is left behind", async () => {
    const location = await rig.open("check-good", { config: { prefix: "team" } });

    const findings = await collectAll(location.store.check());

    const seen = findings.filter(({ severity }) => severity === "ok").map(({ subject }) => subject);
    assert.deepEqual(seen.sort(), objectPermissions.toSorted());
    assert.deepEqual(
      findings.filter(({ severity }) => severity === "failure"),
      [],
    );
    const left = await rig.probe.send(new ListObjectVersionsCommand({ Bucket: "check-good" }));
    assert.deepEqual(
      [left.Versions ?? [], left.DeleteMarkers ?? [], await rig.countUploads("check-good")],
      [[], [], 0],
    );
  });

  test("a key without effect is advice", async () => {
    const location = await rig.open("check-advice", { config: { signatureVersion: "4" } });

    const findings = await collectAll(location.store.check());

    const [advice] = findings.filter(({ subject }) => subject === "signatureVersion");
    assert.equal(advice?.severity, "advice");
  });
});

describe("the description of an object", { concurrency: true }, () => {
  test("it tells size, checksum, version and time of a small object", async () => {
    const location = await rig.open("describe-small");
    const body = bytesOf(12_345, "describe");
    const before = Date.now();
    await location.put("contents", body);

    const described = await location.describe("contents");

    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(body));
    assert.equal(described.sizeBytes, 12_345n);
    assert.deepEqual(described.checksum, { algorithm: "crc32", value: crc.toString("base64"), scope: "full-object" });
    assert.notEqual(described.version, "");
    assert.ok(Math.abs((described.lastModified?.getTime() ?? 0) - before) < 60_000);
  });

  test("it tells the checksum of the whole of an object of many parts", async () => {
    const location = await rig.open("describe-large", { config: smallParts });
    const body = bytesOf(2 * smallPartBytes + 99, "describe large");
    await location.put("contents", body);

    const { checksum } = await location.describe("contents");

    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(body));
    assert.deepEqual(checksum, { algorithm: "crc32", value: crc.toString("base64"), scope: "full-object" });
  });

  test("an absent object is not found", async () => {
    const location = await rig.open("describe-absent");

    assert.equal((await failureOf(location.describe("contents"))).kind, "not-found");
  });
});

describe("the check of a VolumeSnapshotLocation", { concurrency: true }, () => {
  for (const denied of volumePermissions) {
    test(`a missing ${denied} is named`, async () => {
      const account = withRights(denied.replace("ec2:", "").toUpperCase(), [denied]);
      volumes.accounts.add(account);
      const snapshotter = await volumes.open({ account, session: volumes.start() });

      const findings = await collectAll(snapshotter.check());

      assert.deepEqual(
        findings.filter(({ severity }) => severity === "failure").map(({ subject }) => subject),
        [denied],
      );
    });
  }

  test("all is well on a good location, and nothing is made", async () => {
    const snapshotter = await volumes.open();

    const findings = await collectAll(snapshotter.check());

    assert.deepEqual(
      findings.map(({ severity, subject }) => [severity, subject]),
      volumePermissions.map((permission) => ["ok", permission]),
    );
  });
});
