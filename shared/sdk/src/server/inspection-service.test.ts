import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type { MessageInitShape } from "@bufbuild/protobuf";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess } from "../testing/fixture-process.ts";
import {
  CheckDataRequestSchema,
  CheckRequestSchema,
  Finding_Severity,
  Inspection,
  methodDefinition,
  velero,
} from "../wire/index.ts";
import type { Finding } from "../wire/index.ts";

const { method } = Inspection;
const plugin = fixtureName;

let fixture: FixtureProcess;
before(async () => {
  fixture = new FixtureProcess();
  await fixture.initObjectStore({ bucket: "b" });
  await fixture.initVolumeSnapshotter({ region: "here" });
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("an absent object is not found", async () => {
  const call = fixture.call(method.describeObject, { plugin, bucket: "b", key: "absent" });

  await assert.rejects(call, { code: status.NOT_FOUND });
});

test("an object is described with size and checksum", async () => {
  await fixture.put({ bucket: "b", key: "k" }, Buffer.from("content"));

  const description = await fixture.call(method.describeObject, { plugin, bucket: "b", key: "k" });

  assert.equal(description.sizeBytes, 7n);
  assert.equal(description.checksum?.value, createHash("md5").update("content").digest("hex"));
  assert.equal(description.checksum.composite, false);
  assert.ok(description.lastModified !== undefined);
});

test("an unknown snapshot is not found", async () => {
  const call = fixture.call(method.describeSnapshot, { plugin, snapshotId: "here-snap-99" });

  await assert.rejects(call, { code: status.NOT_FOUND });
});

test("a snapshot is described with its volume and tags", async () => {
  const { snapshotID } = await fixture.call(velero.VolumeSnapshotter.method.createSnapshot, {
    plugin,
    volumeID: "here-vol-1",
    tags: { a: "b" },
  });

  const description = await fixture.call(method.describeSnapshot, { plugin, snapshotId: snapshotID });

  assert.deepEqual(
    [description.volumeId, description.state, description.tags],
    ["here-vol-1", "completed", { a: "b" }],
  );
});

test("a check streams its findings", async () => {
  const findings = await check({ plugin, kind: "ObjectStore", bucket: "b" });

  assert.deepEqual(
    findings.map(({ severity }) => severity),
    [Finding_Severity.OK, Finding_Severity.ADVICE],
  );
});

test("a check of another kind is refused", async () => {
  await assert.rejects(check({ plugin, kind: "BackupItemAction" }), { code: status.INVALID_ARGUMENT });
});

for (const kind of ["ObjectStore", "VolumeSnapshotter"])
  test(`the kind ${kind} without data of its own refuses to read any back`, async () => {
    const request = { plugin, kind, bucket: "b", readDataSubset: "5%" };

    await assert.rejects(checkData(request), {
      code: status.UNIMPLEMENTED,
      details: /cannot read back data of its own/,
    });
  });

async function check(request: MessageInitShape<typeof CheckRequestSchema>): Promise<readonly Finding[]> {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(Inspection, method.check);
  const message = create(CheckRequestSchema, request);
  const client = await fixture.client();
  return await findingsOf(client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message));
}

async function checkData(request: MessageInitShape<typeof CheckDataRequestSchema>): Promise<readonly Finding[]> {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(Inspection, method.checkData);
  const message = create(CheckDataRequestSchema, request);
  const client = await fixture.client();
  return await findingsOf(client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message));
}

async function findingsOf(stream: AsyncIterable<unknown>): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  // The stream's elements are what responseDeserialize makes.
  for await (const finding of stream) findings.push(finding as Finding);
  return findings;
}
