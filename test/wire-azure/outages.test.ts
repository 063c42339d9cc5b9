import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { absenceWords } from "../wire/absence.ts";
import { bytesOf, failureOf, readUntilError } from "../wire/bytes.ts";
import { smallPartBytes, smallParts, startBlobRig } from "./blob-rig.ts";

// Everything that has to wait for the plugin to try again stands in this file, so that the waits overlap.
const rig = await startBlobRig();
after(() => rig.close());

const manyBlocks = bytesOf(4 * smallPartBytes + 1, "outages");
const body = bytesOf(100_000, "small");

describe("outages", { concurrency: true, timeout: 600_000 }, () => {
  test("an unreachable endpoint is unavailable and named", async () => {
    const location = await rig.open("unreachable", { config: { storageAccountURI: "http://127.0.0.1:1/flotilla" } });

    const error = await failureOf(location.list());

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, absenceWords);
  });

  test("an account that nobody knows does not read like an absent object", async () => {
    const location = await rig.open("no-host", { config: { storageAccountURI: "http://nobody.invalid" } });

    const error = await failureOf(location.exists("contents"));

    assert.doesNotMatch(error.message, absenceWords);
    assert.match(error.message, /nobody\.invalid/);
  });

  test("an upload that one block cannot finish fails as unavailable and commits nothing", async () => {
    const location = await rig.open("endless-storm", { config: smallParts });
    rig.blob.faults.add(
      { kind: "error", status: 503, code: "ServerBusy" },
      { bucket: "endless-storm", operation: "PutBlock" },
      { times: 1000, skip: 1 },
    );

    const error = await failureOf(location.put("contents", manyBlocks));

    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /contents.*ServerBusy/);
    assert.equal(await location.exists("contents"), false);
    assert.equal(rig.requestsOf("endless-storm", "PutBlockList").length, 0);
  });

  test("an object that was cut short below the store never ends cleanly", async () => {
    const location = await rig.open("truncated");
    await location.put("contents", body);
    await location.truncate("contents", body.length / 2);

    const { receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.ok(receivedBytes <= body.length / 2);
  });

  for (const [status, code] of [
    [500, "InternalError"],
    [500, "OperationTimedOut"],
    [503, "ServerBusy"],
  ] as const) {
    test(`an upload outlasts a storm of ${status} ${code}`, async () => {
      const bucket = `storm-${code.toLowerCase()}`;
      const location = await rig.open(bucket, { config: smallParts });
      const storm = rig.blob.faults.add({ kind: "error", status, code }, { bucket }, { times: 4 });

      await location.put("contents", manyBlocks);

      assert.equal(storm.hits, 4);
      assert.ok((await location.get("contents")).equals(manyBlocks));
    });
  }

  for (const [status, code] of [
    [408, "RequestTimeout"],
    [429, "TooManyRequests"],
    [502, "BadGateway"],
    [503, "ServerBusy"],
    [504, "GatewayTimeout"],
  ] as const) {
    test(`a listing, a look and a deletion outlast a storm of ${status}`, async () => {
      const bucket = `storm-list-${status}`;
      const location = await rig.open(bucket);
      await location.put("contents", body);
      const fault = { kind: "error", status, code } as const;
      for (const operation of ["ListBlobs", "GetBlobProperties", "DeleteBlob"])
        rig.blob.faults.add(fault, { bucket, operation }, { times: 4 });

      assert.deepEqual(await location.list(), ["contents"]);
      assert.equal(await location.exists("contents"), true);
      await location.store.deleteObject(location.at("contents"));
    });
  }

  for (const [status, code] of [
    [429, "TooManyRequests"],
    [503, "ServerBusy"],
  ] as const) {
    test(`a store that answers ${status} is asked again when it says, and not before`, async () => {
      const bucket = `retry-after-${status}`;
      const location = await rig.open(bucket);
      const fault = { kind: "error", status, code, headers: { "retry-after": "2" } } as const;
      for (const operation of ["PutBlob", "ListBlobs"]) rig.blob.faults.add(fault, { bucket, operation });

      for (const work of [async () => await location.put("contents", body), async () => await location.list()]) {
        const beganMs = Date.now();
        await work();
        assert.ok(Date.now() - beganMs >= 2000);
      }
    });
  }

  test("a download outlasts a storm of 503", async () => {
    const location = await rig.open("storm-get", { config: smallParts });
    await location.put("contents", manyBlocks);
    const fault = { kind: "error", status: 503, code: "ServerBusy" } as const;
    const storm = rig.blob.faults.add(fault, { bucket: "storm-get", operation: "GetBlob" }, { times: 4 });

    const received = await location.get("contents");

    assert.equal(storm.hits, 4);
    assert.ok(received.equals(manyBlocks));
  });
});
