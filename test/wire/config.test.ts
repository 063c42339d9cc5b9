import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { absenceWords } from "./absence.ts";
import { failureOf } from "./bytes.ts";
import { startObjectRig } from "./object-rig.ts";

const rig = await startObjectRig();
after(() => rig.close());

describe("a BackupStorageLocation that is wrong", { concurrency: true }, () => {
  test("an unknown key is refused with the nearest known one", async () => {
    const error = await failureOf(rig.open("unknown-key", { config: { s3url: "http://127.0.0.1" } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /config has invalid keys \[s3url \(did you mean s3Url\?\)\]/);
    assert.match(error.message, /valid keys are \[.*s3ForcePathStyle/);
  });

  test("a boolean that Go would not read is refused by name, without its value", async () => {
    const error = await failureOf(rig.open("bad-bool", { config: { s3ForcePathStyle: "yes-please" } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /s3ForcePathStyle.*true or false/);
    assert.doesNotMatch(error.message, /yes-please/);
  });

  test("all faults are told in one message", async () => {
    const config = {
      s3Url: "ftp://store",
      insecureSkipTLSVerify: "maybe",
      checksumAlgorithm: "CRC31",
      tagging: "no-value",
      memoryLimit: "1Mi",
      kmsKeyID: "alias/x",
    };

    const { kind, message } = await failureOf(rig.open("many-faults", { config }));

    assert.equal(kind, "invalid-config");
    for (const key of Object.keys(config)) assert.ok(message.includes(key), `${key} is not in: ${message}`);
    assert.match(message, /did you mean kmsKeyId/);
    assert.doesNotMatch(message, absenceWords);
  });

  test("eleven tags are one too many", async () => {
    const tagging = Array.from({ length: 11 }, (_, index) => `k${index}=v`).join("&");

    const error = await failureOf(rig.open("eleven-tags", { config: { tagging } }));

    assert.match(error.message, /tagging.*11 tags/);
  });

  test("a call before any opening is refused with the reason", async () => {
    const session = rig.start();
    const store = session.manager.getObjectStore("velero.io/aws");
    await failureOf(store.init(await rig.configOf("never-opened", { config: { tagging: "x" } })));

    const error = await failureOf(store.objectExists({ bucket: "never-opened", key: "contents" }));

    assert.match(error.message, /init/i);
  });
});

describe("a BackupStorageLocation of the official plugin", { concurrency: true }, () => {
  for (const [name, config] of [
    ["signatureversion", { signatureVersion: "4" }],
    ["enablesharedconfig", { enableSharedConfig: "true" }],
    ["resticrepoprefix", { resticRepoPrefix: "s3:example/restic" }],
    ["empty", { publicUrl: "", kmsKeyId: "", tagging: "", profile: "", serverSideEncryption: "" }],
    ["go-bools", { insecureSkipTLSVerify: "F", s3ForcePathStyle: "1" }],
  ] as const) {
    test(`its keys are accepted: ${name}`, async () => {
      const location = await rig.open(`official-${name}`, { config });

      assert.deepEqual(await location.list(), []);
    });
  }
});
