import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { absenceWords } from "../wire/absence.ts";
import { bytesOf, failureOf, readUntilError } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startGcsRig } from "./gcs-rig.ts";

// Everything that has to wait for the plugin to try again stands in this file, so that the waits overlap.
const rig = await startGcsRig();
after(() => rig.close());

const manyChunks = bytesOf(2 * smallPartBytes + 1, "outages");
const body = bytesOf(100_000, "small");

describe("outages", { concurrency: true, timeout: 600_000 }, () => {
  test("an unreachable endpoint is unavailable and named", async () => {
    const location = await rig.open("unreachable", { config: { storeEndpoint: "http://127.0.0.1:1" } });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("an endpoint that nobody knows does not read like an absent object", async () => {
    const location = await rig.open("no-host", { config: { storeEndpoint: "http://nobody.invalid" } });

    const error = await failureOf(location.exists("contents"));

    assert.doesNotMatch(error.message, absenceWords);
    assert.match(error.message, /nobody\.invalid/);
  });

  test("an upload that one chunk cannot finish fails as unavailable and leaves neither object nor session", async () => {
    const location = await rig.open("endless-storm", { config: smallParts });
    rig.gcs.faults.add(
      { kind: "error", status: 503, code: "backendError" },
      { bucket: "endless-storm", operation: "ContinueUpload" },
      { times: 1000, skip: 1 },
    );

    const error = await failureOf(location.put("contents", manyChunks));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /contents.*backendError/);
    assert.equal(await location.exists("contents"), false);
    assert.deepEqual(rig.gcs.openUploads("endless-storm"), []);
  });

  test("an object that was cut short below the store never ends cleanly", async () => {
    const location = await rig.open("truncated");
    await location.put("contents", body);
    await location.truncate("contents", body.length / 2);

    const { receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.ok(receivedBytes <= body.length / 2);
  });

  for (const [status, code] of [
    [500, "internalError"],
    [503, "backendError"],
    [429, "rateLimitExceeded"],
    [408, "uploadBrokenConnection"],
  ] as const) {
    test(`an upload outlasts a storm of ${status} ${code}`, async () => {
      const bucket = `storm-${status}`;
      const location = await rig.open(bucket, { config: smallParts });
      const storm = rig.gcs.faults.add({ kind: "error", status, code }, { bucket }, { times: 4 });

      await location.put("contents", manyChunks);

      assert.equal(storm.hits, 4);
      assert.ok((await location.get("contents")).equals(manyChunks));
    });
  }

  for (const [status, code] of [
    [429, "rateLimitExceeded"],
    [503, "backendError"],
  ] as const) {
    test(`a store that answers ${status} is asked again when it says, and not before`, async () => {
      const bucket = `retry-after-${status}`;
      const location = await rig.open(bucket);
      const fault = { kind: "error", status, code, headers: { "retry-after": "4" } } as const;
      rig.gcs.faults.add(fault, { bucket, operation: "InsertObject" });
      rig.gcs.faults.add(fault, { bucket, operation: "ListObjects" });

      for (const work of [async () => await location.put("contents", body), async () => await location.list()]) {
        const beganMs = Date.now();
        await work();
        assert.ok(Date.now() - beganMs >= 3950);
      }
    });
  }

  test("the last request of a long upload outlasts a quarter of a minute", async () => {
    const location = await rig.open("storm-last", { config: smallParts });
    const fault = { kind: "error", status: 503, code: "backendError" } as const;
    const match = { bucket: "storm-last", operation: "ContinueUpload" };
    const storm = rig.gcs.faults.add(fault, match, { times: 7, skip: 2 });

    await location.put("contents", manyChunks);

    assert.equal(storm.hits, 7);
    assert.ok((await location.get("contents")).equals(manyChunks));
  });

  test("a listing, a look and a deletion outlast a storm of 503", async () => {
    const location = await rig.open("storm-list");
    await location.put("contents", body);
    const fault = { kind: "error", status: 503, code: "backendError" } as const;
    for (const operation of ["ListObjects", "GetObject", "DeleteObject"])
      rig.gcs.faults.add(fault, { bucket: "storm-list", operation }, { times: 4 });

    assert.deepEqual(await location.list(), ["contents"]);
    assert.equal(await location.exists("contents"), true);
    await location.store.deleteObject(location.at("contents"));
  });

  test("a deletion whose answer is lost succeeds", async () => {
    const location = await rig.open("lost-delete");
    await location.put("contents", body);
    rig.gcs.faults.add({ kind: "lose-response" }, { bucket: "lost-delete", operation: "DeleteObject" });

    await location.store.deleteObject(location.at("contents"));

    assert.equal(await location.exists("contents"), false);
  });

  test("a download outlasts a storm of 503", async () => {
    const location = await rig.open("storm-get", { config: smallParts });
    await location.put("contents", manyChunks);
    const fault = { kind: "error", status: 503, code: "backendError" } as const;
    const storm = rig.gcs.faults.add(fault, { bucket: "storm-get", operation: "ReadObject" }, { times: 4 });

    const received = await location.get("contents");

    assert.equal(storm.hits, 4);
    assert.ok(received.equals(manyChunks));
  });

  test("an outage of the token endpoint is outlasted", async () => {
    const session = rig.start();
    const location = await rig.open("storm-token", { session });
    const storm = rig.identity.faults.add(
      { kind: "error", status: 503, code: "internal_failure" },
      { operation: "Token" },
      { times: 3 },
    );

    assert.deepEqual(await location.list(), []);
    assert.equal(storm.hits, 3);
  });
});
