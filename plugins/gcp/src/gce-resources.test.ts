import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import type {
  GceDisk,
  GceEncryptionKey,
  GceOperation,
  GceOperationError,
  GceProject,
  GceQuota,
  GceSnapshot,
} from "./gce-resources.ts";

// Google's own description of its API, which its client library is made of.
const require = createRequire(import.meta.url);
const { fields, paths } = readDescription();

const forms = {
  Disk: {
    accessMode: "string",
    creationTimestamp: "string",
    description: "string",
    diskEncryptionKey: "CustomerEncryptionKey",
    enableConfidentialCompute: "bool",
    labels: "string",
    name: "string",
    provisionedIops: "int64",
    provisionedThroughput: "int64",
    replicaZones: "string",
    selfLink: "string",
    sizeGb: "int64",
    sourceSnapshot: "string",
    status: "string",
    type: "string",
  } satisfies Record<keyof GceDisk, string>,
  Snapshot: {
    creationTimestamp: "string",
    description: "string",
    diskSizeGb: "int64",
    enableConfidentialCompute: "bool",
    labels: "string",
    name: "string",
    selfLink: "string",
    snapshotEncryptionKey: "CustomerEncryptionKey",
    snapshotType: "string",
    sourceDisk: "string",
    status: "string",
    storageLocations: "string",
  } satisfies Record<keyof GceSnapshot, string>,
  CustomerEncryptionKey: { kmsKeyName: "string" } satisfies Record<keyof GceEncryptionKey, string>,
  Operation: {
    error: "Error",
    httpErrorStatusCode: "int32",
    name: "string",
    progress: "int32",
    status: "Status",
  } satisfies Record<keyof GceOperation, string>,
  Errors: { code: "string", message: "string" } satisfies Record<keyof GceOperationError, string>,
  Project: { quotas: "Quota" } satisfies Record<keyof GceProject, string>,
  Quota: { limit: "double", metric: "string", usage: "double" } satisfies Record<keyof GceQuota, string>,
};

for (const [name, expected] of Object.entries(forms))
  test(`the fields of ${name} have the names and types that Google gives them`, () => {
    const found = Object.entries(fields(name)).filter(([field]) => Object.hasOwn(expected, field));

    assert.deepEqual(Object.fromEntries(found.map(([field, { type }]) => [field, type])), expected);
  });

test("the paths of the requests are Google's", () => {
  const place = ["zones/{zone}", "regions/{region}"];
  const expected = [
    "get /projects/{project}",
    "get /projects/{project}/global/snapshots/{snapshot}",
    "post /projects/{project}/global/snapshots",
    "delete /projects/{project}/global/snapshots/{snapshot}",
    "get /projects/{project}/global/operations/{operation}",
    ...place.flatMap((place) => [
      `get /projects/{project}/${place}/disks/{disk}`,
      `post /projects/{project}/${place}/disks`,
      `delete /projects/{project}/${place}/disks/{disk}`,
      `get /projects/{project}/${place}/operations/{operation}`,
    ]),
  ];

  assert.deepEqual(
    expected.filter((path) => !paths.has(path)),
    [],
  );
});

interface Message {
  readonly fields?: Readonly<Record<string, { readonly type: string }>>;
  readonly methods?: Readonly<Record<string, object>>;
}

function readDescription(): {
  readonly fields: (message: string) => NonNullable<Message["fields"]>;
  readonly paths: ReadonlySet<string>;
} {
  const { nested: root } = require("@google-cloud/compute/build/protos/protos.json");
  // The file's form is protobuf.js's; what is not of it fails the tests above.
  const messages = root.google.nested.cloud.nested.compute.nested.v1.nested as Readonly<Record<string, Message>>;
  const methods = Object.values(messages).flatMap(({ methods = {} }) => Object.values(methods));
  const found = methods.flatMap((method) => [
    ...JSON.stringify(method).matchAll(/"(get|post|delete)":"\/compute\/v1(\/[^"]*)"/g),
  ]);
  return {
    fields: (message) => messages[message]?.fields ?? {},
    paths: new Set(found.map(([, verb, path]) => `${verb} ${path}`)),
  };
}
