import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { absenceWords } from "./absence.ts";
import { bytesOf, failureOf, readUntilError } from "./bytes.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";

// Everything that has to wait for the plugin to try again stands in this file, so that the waits overlap.
const rig = await startObjectRig();
after(() => rig.close());

// The SDK's own tries are few here: what is looked at is what comes after them.
const impatient = rig.start({ AWS_MAX_ATTEMPTS: "1" });
const manyParts = bytesOf(4 * smallPartBytes + 1, "outages");
const body = bytesOf(100_000, "small");

describe("outages", { concurrency: true, timeout: 600_000 }, () => {
  describe("that last", { concurrency: true }, () => {
    test("an unreachable endpoint is unavailable and named", async () => {
      const config = { s3Url: "http://127.0.0.1:1" };
      const location = await rig.open("unreachable", { config, session: impatient });

      const error = await failureOf(location.list());

      assert.equal(error.kind, "unavailable");
      assert.match(error.message, /127\.0\.0\.1:1/);
      assert.doesNotMatch(error.message, absenceWords);
    });

    test("a host name that nobody knows does not read like an absent object", async () => {
      const location = await rig.open("no-host", { config: { s3Url: "http://store.invalid" }, session: impatient });

      const error = await failureOf(location.get("contents"));

      assert.doesNotMatch(error.message, absenceWords);
      assert.match(error.message, /store\.invalid/);
    });

    test("an upload that one part cannot finish fails as unavailable and leaves nothing", async () => {
      const location = await rig.open("endless-storm", { config: smallParts, session: impatient });
      rig.s3.faults.add(
        { kind: "error", status: 503, code: "SlowDown" },
        { bucket: "endless-storm", operation: "UploadPart", partNumber: 2 },
        { times: 1000 },
      );

      const error = await failureOf(location.put("contents", manyParts));

      assert.equal(error.kind, "unavailable");
      assert.match(error.message, /contents.*SlowDown/);
      assert.equal(await location.exists("contents"), false);
      assert.equal(await rig.countUploads("endless-storm"), 0);
    });

    test("an object that was cut short below the store never ends cleanly", async () => {
      const location = await rig.open("truncated", { session: impatient });
      await location.put("contents", body);
      await location.truncate("contents", body.length / 2);

      const { receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

      assert.ok(receivedBytes <= body.length / 2);
    });
  });

  describe("that pass", { concurrency: true }, () => {
    for (const [status, code] of [
      [500, "InternalError"],
      [503, "ServiceUnavailable"],
      [503, "SlowDown"],
    ] as const) {
      test(`an upload outlasts a storm of ${status} ${code}`, async () => {
        const bucket = `storm-${code.toLowerCase()}`;
        const location = await rig.open(bucket, { config: smallParts });
        const storm = rig.s3.faults.add({ kind: "error", status, code }, { bucket }, { times: 4 });

        await location.put("contents", manyParts);

        assert.equal(storm.hits, 4);
        assert.ok((await location.get("contents")).equals(manyParts));
      });
    }

    test("a download outlasts a storm of 503", async () => {
      const location = await rig.open("storm-get", { config: smallParts });
      await location.put("contents", manyParts);
      const fault = { kind: "error", status: 503, code: "SlowDown" } as const;
      const storm = rig.s3.faults.add(fault, { bucket: "storm-get", operation: "GetObject" }, { times: 4 });

      const received = await location.get("contents");

      assert.equal(storm.hits, 4);
      assert.ok(received.equals(manyParts));
    });
  });
});
