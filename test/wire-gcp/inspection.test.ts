import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { checksumOf, printChecksum } from "@flotilla/sdk/objects";

import { bytesOf, collectAll, failureOf } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig();
after(() => rig.close());

const tried = [
  "storage.objects.list",
  "storage.objects.create",
  "storage.objects.get",
  "signed URL",
  "storage.objects.delete",
];

describe("the check of a BackupStorageLocation", { concurrency: true, timeout: 240_000 }, () => {
  test("all is well on a good location, but for its http, and nothing is left behind", async () => {
    const location = await rig.open("check-good", { config: { prefix: "team" } });

    const findings = await collectAll(location.store.check());

    assert.deepEqual(
      findings.map(({ severity, subject }) => [severity, subject]),
      [["advice", "storeEndpoint"], ...tried.map((subject) => ["ok", subject])],
    );
    assert.deepEqual(await location.list(), []);
  });

  for (const permission of ["storage.objects.list", "storage.objects.get", "storage.objects.delete"]) {
    test(`a missing ${permission} is one failure, with the permission to grant`, async () => {
      const bucket = `check-${permission.split(".").at(-1)}`;
      const location = await rig.open(bucket);
      rig.gcs.deny({ permissions: [permission], bucket });

      const findings = await collectAll(location.store.check());

      const failures = findings.filter(({ severity }) => severity === "failure");
      assert.deepEqual(
        failures.map(({ subject }) => subject),
        [permission],
      );
      assert.ok(failures[0]?.remedy.includes(permission));
    });
  }

  test("an identity that may do nothing is told every permission that it lacks", async () => {
    const location = await rig.open("check-nothing");
    rig.gcs.deny({ permissions: ["storage.objects.*"], bucket: "check-nothing" });

    const findings = await collectAll(location.store.check());

    const failures = findings.filter(({ severity }) => severity === "failure").map(({ subject }) => subject);
    assert.deepEqual(new Set(failures), new Set(tried.filter((subject) => subject !== "signed URL")));
  });

  test("a missing bucket is one failure that names it", async () => {
    const location = await rig.open("check-no-bucket", { bucketIs: "missing" });

    const findings = await collectAll(location.store.check());

    const failures = findings.filter(({ severity }) => severity === "failure");
    assert.equal(failures.length, 1);
    assert.match(`${failures[0]?.detail}`, /check-no-bucket/);
  });

  for (const [key, config] of [
    ["resticRepoPrefix", { resticRepoPrefix: "gs:x" }],
    ["caCert", { caCert: "no PEM" }],
    ["insecureSkipTLSVerify", { insecureSkipTLSVerify: "true" }],
    ["serviceAccount", { serviceAccount: "other@flotilla.iam.gserviceaccount.com" }],
  ] as const) {
    test(`what is worth knowing of ${key} is advice`, async () => {
      const location = await rig.open(`advice-${key.toLowerCase()}`, { config });

      const findings = await collectAll(location.store.check());

      const advice = findings.filter(({ severity }) => severity === "advice").map(({ subject }) => subject);
      assert.ok(advice.includes(key), advice.join(", "));
      assert.deepEqual(
        findings.filter(({ severity }) => severity === "failure"),
        [],
      );
    });
  }
});

describe("the description of an object", { concurrency: true, timeout: 240_000 }, () => {
  for (const [name, sizeBytes] of [
    ["small", 12_345],
    ["large", smallPartBytes + 99],
  ] as const) {
    test(`it tells size, CRC32C of the whole, generation and time of a ${name} object`, async () => {
      const location = await rig.open(`describe-${name}`, { config: smallParts });
      const body = bytesOf(sizeBytes, name);
      const before = Date.now();
      await location.put("contents", body);

      const described = await location.describe("contents");

      const value = printChecksum(await checksumOf("crc32c", body));
      const [{ generation }] = await rig.bucket(`describe-${name}`).file("contents").getMetadata();
      assert.equal(described.sizeBytes, BigInt(sizeBytes));
      assert.deepEqual(described.checksum, { algorithm: "crc32c", value, scope: "full-object" });
      assert.equal(described.version, String(generation));
      assert.ok(Math.abs((described.lastModified?.getTime() ?? 0) - before) < 60_000);
      assert.equal(described.hold, "");
    });
  }

  test("an absent object is not found", async () => {
    const location = await rig.open("describe-absent");

    assert.equal((await failureOf(location.describe("contents"))).kind, "not-found");
  });
});
