import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";
import type { Location } from "./location.ts";

const rig = await startObjectRig();
after(() => rig.close());

/** Every request that an object store makes, small and large, in its usual configuration. */
async function useEverything(location: Location): Promise<void> {
  await location.put("small", Buffer.from("small"));
  await location.put("large", bytesOf(2 * smallPartBytes, "large"));
  await location.get("large");
  await location.get("small");
  await location.exists("absent");
  await location.list();
  await location.describe("large");
  await location.store.deleteObject(location.at("small"));
}

describe("what travels to the store", { concurrency: true }, () => {
  test("no request is framed as aws-chunked or carries a trailer, which some stores keep as content", async () => {
    const location = await rig.open("not-chunked", { config: smallParts });

    await useEverything(location);

    const requests = rig.requestsOf("not-chunked");
    assert.ok(requests.length > 8);
    for (const { headers } of requests) {
      assert.doesNotMatch(headers.get("content-encoding") ?? "", /aws-chunked/);
      assert.doesNotMatch(headers.get("x-amz-content-sha256") ?? "", /STREAMING/);
      assert.equal(headers.has("x-amz-trailer"), false);
      assert.equal(headers.has("x-amz-decoded-content-length"), false);
      assert.equal(headers.has("transfer-encoding"), false);
    }
  });

  test("no request carries an empty header, which some stores refuse", async () => {
    const location = await rig.open("no-empty-headers", { config: { ...smallParts, tagging: "", kmsKeyId: "" } });

    await useEverything(location);

    const empty = rig
      .requestsOf("no-empty-headers")
      .flatMap(({ operation, headers }) =>
        [...headers].filter(([, value]) => value === "").map(([name]) => [operation, name]),
      );
    assert.deepEqual(empty, []);
  });

  test("over plain http each request signs its content", async () => {
    const location = await rig.open("signed-content", { config: smallParts });

    await useEverything(location);

    for (const { headers } of rig.requestsOf("signed-content")) {
      assert.match(headers.get("x-amz-content-sha256") ?? "", /^[0-9a-f]{64}$/);
    }
  });

  test("no object is given an encoding that makes clients unpack it", async () => {
    const location = await rig.open("no-encoding", { config: smallParts });

    await location.put("backups/b/log.gz", Buffer.from("not really gzip"));

    const [put] = rig.requestsOf("no-encoding", "PutObject");
    assert.equal(put?.headers.has("content-encoding"), false);
  });

  test("opening a location sends nothing to the store", async () => {
    await rig.open("quiet-init");

    assert.deepEqual(
      rig.requestsOf("quiet-init").map((request) => request.operation),
      [],
    );
  });

  test("a small put and a small get take one request each", async () => {
    const location = await rig.open("one-request");

    await location.put("contents", Buffer.from("small"));
    await location.get("contents");

    assert.deepEqual(
      rig.requestsOf("one-request").map((request) => request.operation),
      ["PutObject", "GetObject"],
    );
  });

  test("the plugin names itself to the store", async () => {
    const location = await rig.open("user-agent");

    await location.list();

    const [request] = rig.requestsOf("user-agent");
    assert.match(request?.headers.get("user-agent") ?? "", /flotilla/);
  });
});

describe("what a location adds to its objects", { concurrency: true }, () => {
  test("a single tag is sent, though the official plugin refuses it", async () => {
    const location = await rig.open("one-tag", { config: { tagging: "team=storage" } });

    await location.put("contents", Buffer.from("tagged"));

    assert.equal(rig.requestsOf("one-tag", "PutObject")[0]?.headers.get("x-amz-tagging"), "team=storage");
  });

  test("tags are given to an object of many parts as well", async () => {
    const location = await rig.open("two-tags", { config: { ...smallParts, tagging: "team=storage&cost=42" } });

    await location.put("contents", bytesOf(2 * smallPartBytes, "tags"));

    const [created] = rig.requestsOf("two-tags", "CreateMultipartUpload");
    assert.equal(created?.headers.get("x-amz-tagging"), "team=storage&cost=42");
  });

  test("serverSideEncryption is sent as it is written", async () => {
    const location = await rig.open("sse-s3", { config: { serverSideEncryption: "AES256" } });

    await location.put("contents", Buffer.from("encrypted"));

    const [put] = rig.requestsOf("sse-s3", "PutObject");
    assert.equal(put?.headers.get("x-amz-server-side-encryption"), "AES256");
    assert.equal((await location.get("contents")).toString(), "encrypted");
  });

  test("kmsKeyId means aws:kms and wins over serverSideEncryption", async () => {
    const config = { ...smallParts, kmsKeyId: "alias/backups", serverSideEncryption: "AES256" };
    const location = await rig.open("sse-kms", { config });

    await location.put("small", Buffer.from("encrypted"));
    await location.put("large", bytesOf(2 * smallPartBytes, "kms"));

    const requests = [...rig.requestsOf("sse-kms", "PutObject"), ...rig.requestsOf("sse-kms", "CreateMultipartUpload")];
    assert.equal(requests.length, 2);
    for (const { headers } of requests) {
      assert.equal(headers.get("x-amz-server-side-encryption"), "aws:kms");
      assert.equal(headers.get("x-amz-server-side-encryption-aws-kms-key-id"), "alias/backups");
    }
  });
});
