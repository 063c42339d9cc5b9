import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { absenceWords } from "../wire/absence.ts";
import { failureOf } from "../wire/bytes.ts";
import { startGcsRig } from "./gcs-rig.ts";

const rig = await startGcsRig();
after(() => rig.close());

describe("a BackupStorageLocation that is wrong", { concurrency: true, timeout: 240_000 }, () => {
  test("an unknown key is refused with the nearest known one", async () => {
    const error = await failureOf(rig.open("unknown-key", { config: { kmsKeyname: "x" } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /config has invalid keys \[kmsKeyname \(did you mean kmsKeyName\?\)\]/);
    assert.match(error.message, /valid keys are \[.*serviceAccount/);
  });

  test("all faults are told in one message, without a value", async () => {
    const config = {
      storeEndpoint: "ftp://store",
      universeDomain: "no domain",
      storageClass: "COLDEST",
      insecureSkipTLSVerify: "maybe-so",
      memoryLimit: "1Mi",
      customerKeyEncryptionSecret: "no-slash",
    };

    const { kind, message } = await failureOf(rig.open("many-faults", { config }));

    assert.equal(kind, "invalid-config");
    for (const key of Object.keys(config)) assert.ok(message.includes(key), `${key} is not in: ${message}`);
    assert.doesNotMatch(message, /maybe-so/);
    assert.doesNotMatch(message, absenceWords);
  });

  test("a KMS key and a customer-supplied key exclude each other", async () => {
    const config = { kmsKeyName: "k", customerKeyEncryptionFile: "/key" };

    const error = await failureOf(rig.open("two-keys", { config }));

    assert.match(error.message, /kmsKeyName and customerKeyEncryptionFile exclude each other/);
  });
});

describe("a BackupStorageLocation of the official plugin", { concurrency: true, timeout: 240_000 }, () => {
  for (const [name, config] of [
    ["resticrepoprefix", { resticRepoPrefix: "gs:bucket:/restic" }],
    ["empty", { kmsKeyName: "", serviceAccount: "", universeDomain: "" }],
    ["every-key", { serviceAccount: "velero@p.iam.gserviceaccount.com", universeDomain: "googleapis.com" }],
    ["endpoint", { storeEndpoint: rig.gcs.url }],
    ["endpoint-slash", { storeEndpoint: `${rig.gcs.url}/` }],
    ["endpoint-path", { storeEndpoint: `${rig.gcs.url}/storage/v1/` }],
  ] as const) {
    test(`its keys are accepted: ${name}`, async () => {
      const location = await rig.open(`official-${name}`, { config });
      await location.put("contents", Buffer.from("x"));

      assert.deepEqual(await location.list(), ["contents"]);
    });
  }
});
