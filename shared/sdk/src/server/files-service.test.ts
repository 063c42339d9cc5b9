import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { after, before, test } from "node:test";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess } from "../testing/fixture-process.ts";
import { Files, methodDefinition } from "../wire/index.ts";

const plugin = fixtureName;

let fixture: FixtureProcess;
before(() => {
  fixture = new FixtureProcess();
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("files are asked for before any Init: the error says what is missing", async () => {
  await assert.rejects(list(), { code: status.INVALID_ARGUMENT, details: /Init must be called/ });
});

test("a plugin that stores no files says that it cannot", async () => {
  await fixture.initVolumeSnapshotter({ region: "here" });

  await assert.rejects(list(), { code: status.UNIMPLEMENTED, details: /cannot restore files/ });
  await assert.rejects(restore(), { code: status.UNIMPLEMENTED, details: /cannot restore files/ });
});

async function list(): Promise<void> {
  const { method } = Files;
  const { path, requestSerialize, responseDeserialize } = methodDefinition(Files, method.listFileSnapshots);
  const request = create(method.listFileSnapshots.input, { plugin });
  const client = await fixture.client();
  for await (const _ of client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request));
}

async function restore(): Promise<void> {
  const { method } = Files;
  const { path, requestSerialize, responseDeserialize } = methodDefinition(Files, method.restoreFiles);
  const request = create(method.restoreFiles.input, { plugin, snapshotId: "4f2a", folder: "/nowhere" });
  const client = await fixture.client();
  for await (const _ of client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request));
}
