import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { resolveObjectLocation, resolveVolumeLocation } from "./location.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

const none = { config: [], volumeConfig: [] };

async function file(content: string): Promise<string> {
  const path = join(await temporaryFolder(), "location.yaml");
  await writeFile(path, content);
  return path;
}

test("a value of spec.config that is not text is refused, as the cluster would", async () => {
  const location = await file(
    "kind: BackupStorageLocation\nspec:\n  provider: aws\n  config:\n    s3ForcePathStyle: true\n",
  );

  await assert.rejects(
    resolveObjectLocation({ ...none, location, bucket: "b" }),
    /spec\.config\.s3ForcePathStyle must be text.*quotes/,
  );
});

test("a file without the resource is refused", async () => {
  const location = await file("kind: Deployment\n");

  await assert.rejects(resolveObjectLocation({ ...none, location }), /holds no BackupStorageLocation/);
});

test("of several locations in a file none is chosen, since the wrong one might be written to", async () => {
  const one = (name: string): string =>
    `kind: BackupStorageLocation\nmetadata: {name: ${name}}\nspec: {provider: aws, objectStorage: {bucket: ${name}}}\n`;
  const location = await file(`${one("default")}---\n${one("archive")}`);

  await assert.rejects(
    resolveObjectLocation({ ...none, location }),
    /holds 2 BackupStorageLocations \(default, archive\): keep the one that is meant/,
  );
});

test("a list as kubectl prints it holds its location", async () => {
  const location = await file(
    "kind: List\nitems: [{kind: BackupStorageLocation, spec: {provider: aws, objectStorage: {bucket: listed}}}]\n",
  );

  assert.equal((await resolveObjectLocation({ ...none, location })).bucket, "listed");
});

test("a file that is no YAML is refused with the place of the fault, and none of its lines, which may hold a password", async () => {
  const location = await file("kind: VolumeSnapshotLocation\nspec:\n  repository: 'rest:https://u:hunter2@h': x\n");

  const error: unknown = await resolveObjectLocation({ ...none, location }).catch((error: unknown) => error);

  assert.match(String(error), /cannot be read as YAML: .* at line 3/);
  assert.doesNotMatch(String(error), /hunter2/);
});

test("a CA in a secret asks for a file", async () => {
  const location = await file(
    "kind: BackupStorageLocation\nspec: {provider: aws, objectStorage: {bucket: b, caCertRef: {name: ca}}}\n",
  );

  await assert.rejects(resolveObjectLocation({ ...none, location }), /--ca-cert FILE/);
});

test("a pair without an equals sign is refused", async () => {
  await assert.rejects(
    resolveObjectLocation({ ...none, bucket: "b", config: ["region"] }),
    /give it as --config key=value/,
  );
});

test("a location is merged as the server merges it, and flags win", async () => {
  const location = await file(`kind: Deployment
---
kind: BackupStorageLocation
metadata: { name: main }
spec:
  provider: aws
  objectStorage: { bucket: /b/, prefix: /cluster/, caCert: ${Buffer.from("PEM").toString("base64")} }
  config: { region: eu-central-1, profile: x }
`);

  const resolved = await resolveObjectLocation({ ...none, location, config: ["profile=a=b"], credentialsFile: "/c" });

  assert.deepEqual(resolved, {
    name: "main",
    provider: "aws",
    bucket: "b",
    prefix: "cluster",
    config: {
      region: "eu-central-1",
      profile: "a=b",
      bucket: "b",
      prefix: "cluster",
      caCert: "PEM",
      credentialsFile: "/c",
    },
    isReadOnly: false,
  });
});

test("--provider restic is the plugin that install and demo call so; a file's provider is as the server reads it", async () => {
  const location = await file("kind: BackupStorageLocation\nspec: {provider: restic, objectStorage: {bucket: b}}\n");

  const byFlag = await resolveObjectLocation({ ...none, provider: "restic", bucket: "b" });
  const volumes = await resolveVolumeLocation({ ...none, provider: "restic", volumeConfig: ["repository=r"] });
  const byFile = await resolveObjectLocation({ ...none, location });

  assert.equal(byFlag.provider, "flotilla.io/restic");
  assert.equal(volumes?.provider, "flotilla.io/restic");
  assert.equal(byFile.provider, "restic");
});

test("a flag that says where a key or password is takes the place of the Secret that the file names", async () => {
  const location = await file(
    "kind: BackupStorageLocation\nspec: {provider: aws, objectStorage: {bucket: b}, config: {region: r, customerKeyEncryptionSecret: s/k}}\n",
  );
  const volumeLocation = await file(
    "kind: VolumeSnapshotLocation\nspec: {provider: restic, config: {passwordSecret: s/k, copyToPasswordSecret: s/k}}\n",
  );

  const objects = await resolveObjectLocation({ ...none, location, config: ["customerKeyEncryptionFile=/k"] });
  const emptied = await resolveObjectLocation({ ...none, location, config: ["customerKeyEncryptionFile="] });
  const volumes = await resolveVolumeLocation({ ...none, volumeLocation, volumeConfig: ["passwordFile=/p"] });

  assert.deepEqual(objects.config, { region: "r", customerKeyEncryptionFile: "/k", bucket: "b", prefix: "" });
  assert.equal(emptied.config["customerKeyEncryptionSecret"], "s/k");
  assert.deepEqual(volumes?.config, { passwordFile: "/p", copyToPasswordSecret: "s/k" });
});

test("a volume location takes no bucket, and is absent unless it is given", async () => {
  const volumeLocation = await file("kind: VolumeSnapshotLocation\nspec: {provider: gcp, config: {project: p}}\n");

  assert.equal(await resolveVolumeLocation({ ...none, bucket: "b" }), undefined);
  assert.deepEqual(await resolveVolumeLocation({ ...none, volumeLocation }), {
    name: "default",
    provider: "gcp",
    config: { project: "p" },
  });
});
