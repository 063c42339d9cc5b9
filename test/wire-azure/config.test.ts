import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { absenceWords } from "../wire/absence.ts";
import { failureOf } from "../wire/bytes.ts";
import { startBlobRig } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const rig = await startBlobRig();
after(() => rig.close());

describe("a BackupStorageLocation that is wrong", { concurrency: true }, () => {
  test("an unknown key is refused with the nearest known one", async () => {
    const error = await failureOf(rig.open("unknown-key", { config: { storageAccountUri: "http://127.0.0.1" } }));

    assert.equal(error.kind, "invalid-config");
    assert.match(error.message, /config has invalid keys \[storageAccountUri \(did you mean storageAccountURI\?\)\]/);
    assert.match(error.message, /valid keys are \[.*useAAD/);
  });

  test("all faults are told in one message, without a value", async () => {
    const config = {
      storageAccountURI: "ftp://store",
      useAAD: "maybe-so",
      activeDirectoryAuthorityURI: "http://login.example.com",
      accessTier: "Archive",
      tagging: "no-value",
      memoryLimit: "1Mi",
      customerKeyEncryptionSecret: "no-slash",
    };

    const { kind, message } = await failureOf(rig.open("many-faults", { config }));

    assert.equal(kind, "invalid-config");
    for (const key of Object.keys(config)) assert.ok(message.includes(key), `${key} is not in: ${message}`);
    assert.doesNotMatch(message, /maybe-so|login\.example/);
    assert.doesNotMatch(message, absenceWords);
  });

  test("an encryption scope and a customer-provided key exclude each other", async () => {
    const config = { encryptionScope: "vault", customerKeyEncryptionFile: "/key" };

    const error = await failureOf(rig.open("two-keys", { config }));

    assert.match(error.message, /encryptionScope and customerKeyEncryptionFile exclude each other/);
  });

  test("tokens and customer-provided keys are not sent to a store over plain http", async () => {
    const path = join(rig.folder, "own.key");
    await writeFile(path, Buffer.alloc(32));

    const errors = await Promise.all([
      failureOf(rig.open("plain-token", { lines: ownerLines, config: { useAAD: "true" } })),
      failureOf(rig.open("plain-key", { config: { customerKeyEncryptionFile: path } })),
    ]);

    for (const { kind, message } of errors) {
      assert.equal(kind, "invalid-config");
      assert.match(message, /needs https; correct storageAccountURI/);
    }
  });

  test("a tag of characters that Azure does not allow is refused", async () => {
    const error = await failureOf(rig.open("odd-tag", { config: { tagging: "team=a*b" } }));

    assert.match(error.message, /tagging: .*characters/);
  });
});

describe("a BackupStorageLocation of the official plugin", { concurrency: true }, () => {
  for (const [name, config] of [
    ["resticrepoprefix", { resticRepoPrefix: "azure:container:/restic" }],
    ["empty", { resourceGroup: "", subscriptionId: "", useAAD: "", blockSizeInBytes: "" }],
    ["go-bools", { useAAD: "F" }],
    ["every-key", { resourceGroup: "g", subscriptionId: "s", useAAD: "1", blockSizeInBytes: "1048576" }],
  ] as const) {
    test(`its keys are accepted: ${name}`, async () => {
      const location = await rig.open(`official-${name}`, { config });

      assert.deepEqual(await location.list(), []);
    });
  }
});
