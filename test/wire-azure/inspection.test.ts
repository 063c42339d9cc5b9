import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { azureDefaults } from "@flotilla/test/emulators";

import { bytesOf, collectAll, failureOf } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startCloudRig } from "./blob-rig.ts";
import type { LocationOptions } from "./blob-rig.ts";
import { ownerLines } from "./harness.ts";

const { tenantId } = azureDefaults;
const people = ["reader", "nobody"] as const;
const rig = await startCloudRig({
  account: {
    roles: { "object-owner": "contributor", "object-reader": "reader", "object-nobody": "none" },
    containers: ["check-tags"],
  },
  identity: {
    applications: [
      { tenantId, clientId: azureDefaults.clientId, objectId: "object-owner", secrets: [azureDefaults.clientSecret] },
      ...people.map((name) => ({ tenantId, clientId: name, objectId: `object-${name}`, secrets: [`${name}-secret`] })),
    ],
  },
});
after(() => rig.close());

function as(clientId: (typeof people)[number]): LocationOptions {
  const lines = { ...ownerLines, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: `${clientId}-secret` };
  return { lines, config: { useAAD: "true" } };
}

const tried = ["blobs/read (list)", "blobs/write", "blobs/read", "signed URL", "blobs/delete"];

describe("the check of a BackupStorageLocation", { concurrency: true, timeout: 240_000 }, () => {
  test("an identity that may only read fails at the write, with the role to grant", async () => {
    const location = await rig.open("check-reader", as("reader"));

    const findings = await collectAll(location.store.check());

    const failures = findings.filter(({ severity }) => severity === "failure");
    assert.deepEqual(
      failures.map(({ subject }) => subject),
      ["blobs/write"],
    );
    assert.match(failures[0]?.remedy ?? "", /Storage Blob Data Contributor/);
  });

  test("an identity without a role fails at the listing and at the write", async () => {
    const location = await rig.open("check-nobody", as("nobody"));

    const findings = await collectAll(location.store.check());

    assert.deepEqual(
      findings.filter(({ severity }) => severity === "failure").map(({ subject }) => subject),
      ["blobs/read (list)", "blobs/write"],
    );
  });

  test("a missing right to tag is told apart from one to write", async () => {
    const location = await rig.open("check-tags", { bucketIs: "there", config: { tagging: "team=a" } });
    const refusal = { kind: "error", status: 403, code: "AuthorizationPermissionMismatch" } as const;
    const where = ({ headers }: { readonly headers: ReadonlyMap<string, string> }): boolean => headers.has("x-ms-tags");
    rig.blob.faults.add(refusal, { bucket: "check-tags", where }, { times: 99 });

    const findings = await collectAll(location.store.check());

    const failure = findings.find(({ severity }) => severity === "failure");
    assert.equal(failure?.subject, "blobs/tags/write");
    assert.deepEqual(await rig.blobNames("check-tags"), []);
  });

  test("a missing container is one failure that names it", async () => {
    const location = await rig.open("check-no-container", { bucketIs: "missing" });

    const findings = await collectAll(location.store.check());

    const failures = findings.filter(({ severity }) => severity === "failure");
    assert.equal(failures.length, 1);
    assert.match(`${failures[0]?.detail}`, /check-no-container/);
  });

  for (const [way, options] of [
    ["key", { config: { prefix: "team" }, without: ["activeDirectoryAuthorityURI"] }],
    ["token", { lines: ownerLines, config: { useAAD: "true" } }],
  ] as const) {
    test(`all is well on a good location with a ${way}, and nothing is left behind`, async () => {
      const location = await rig.open(`check-good-${way}`, options);

      const findings = await collectAll(location.store.check());

      assert.deepEqual(
        findings.map(({ severity, subject }) => [severity, subject]),
        tried.map((subject) => ["ok", subject]),
      );
      assert.deepEqual(await rig.blobNames(`check-good-${way}`), []);
    });
  }

  for (const [key, options] of [
    ["resticRepoPrefix", { config: { resticRepoPrefix: "azure:x" } }],
    ["blockSizeInBytes", { config: { blockSizeInBytes: "nonsense" } }],
    ["caCert", { config: { caCert: "no PEM", insecureSkipTLSVerify: "true" } }],
    ["insecureSkipTLSVerify", { config: { insecureSkipTLSVerify: "true" } }],
    ["useAAD", { lines: ownerLines }],
  ] as const) {
    test(`what is worth knowing of ${key} is advice`, async () => {
      const location = await rig.open(`advice-${key.toLowerCase()}`, options);

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

describe("the description of an object", { concurrency: true }, () => {
  for (const [name, sizeBytes] of [
    ["small", 12_345],
    ["large", 2 * smallPartBytes + 99],
  ] as const) {
    test(`it tells size, MD5 of the whole, version and time of a ${name} object`, async () => {
      const location = await rig.open(`describe-${name}`, { config: smallParts });
      const body = bytesOf(sizeBytes, name);
      const before = Date.now();
      await location.put("contents", body);

      const described = await location.describe("contents");

      const value = createHash("md5").update(body).digest("base64");
      assert.equal(described.sizeBytes, BigInt(sizeBytes));
      assert.deepEqual(described.checksum, { algorithm: "md5", value, scope: "full-object" });
      assert.notEqual(described.version, "");
      assert.ok(Math.abs((described.lastModified?.getTime() ?? 0) - before) < 60_000);
      assert.equal(described.hold, "");
    });
  }

  test("an absent object is not found", async () => {
    const location = await rig.open("describe-absent");

    assert.equal((await failureOf(location.describe("contents"))).kind, "not-found");
  });
});
