import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { bytesOf, collectAll, failureOf, readUntilError } from "./bytes.ts";
import { openCopied } from "./copies-rig.ts";
import { smallPartBytes, smallParts, startObjectRig } from "./object-rig.ts";
import { until } from "./until.ts";

const rig = await startObjectRig();
after(async () => {
  rig.s3.faults.clear();
  await rig.close();
});

const small = bytesOf(100_000, "copy failures");
/** More than is held back: read twice. */
const large = bytesOf(3 * smallPartBytes + 1234, "large copy failures");
const inParts = { copyCutoff: "5Mi" };
const forever = { times: 1_000_000 };
// The SDK's own tries are few here: what is looked at is what comes after them.
const impatient = rig.start({ AWS_MAX_ATTEMPTS: "1" });

describe("a put with copies", { concurrency: true, timeout: 600_000 }, () => {
  test("fails when a required copy cannot be made, names it, and keeps the object", async () => {
    const { location } = await openCopied(rig, "required", { copyIs: "missing" });

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "invalid-config");
    assert.match(
      error.message,
      /"contents" in bucket "required": it is stored, but not copied to s3:\/\/required-copy/,
    );
    assert.match(error.message, /the bucket is missing \(NoSuchBucket.*create the bucket.*mode=best-effort/);
    assert.equal(await location.exists("contents"), true);
  });

  test("warns once for each object when a best-effort copy cannot be made", async () => {
    const query = { mode: "best-effort" };
    const { location, warnings } = await openCopied(rig, "best-effort", { copyIs: "missing", query });

    await location.put("one", small);
    await location.put("two", small);

    await until("both puts have warned", () => warnings().length === 2);
    assert.match(warnings()[0] ?? "", /flotilla backup copy.*"one".*s3:\/\/best-effort-copy/);
  });

  test("names both permissions when the copy is denied", async () => {
    const { location } = await openCopied(rig, "denied");
    rig.s3.faults.add({ kind: "error", status: 403, code: "AccessDenied" }, { bucket: "denied-copy" }, forever);

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /s3:GetObject on bucket "denied" and s3:PutObject on bucket "denied-copy"/);
  });

  for (const [name, query, operation, body] of [
    ["one request", {}, "CopyObject", small],
    ["parts", inParts, "UploadPartCopy", large],
  ] as const) {
    const id = operation.toLowerCase();
    test(`carries the bytes over when a copy in ${name} keeps arriving with a changed byte`, async () => {
      const { location, copy } = await openCopied(rig, `spoilt-${id}`, { query, config: smallParts });
      const spoil = { kind: "corrupt-copy", atByte: 70_000 } as const;
      const fault = rig.s3.faults.add(spoil, { bucket: `spoilt-${id}-copy`, operation }, forever);

      await location.put("contents", body);

      assert.ok(fault.hits >= 2);
      assert.ok((await copy.get("contents")).equals(body));
      assert.equal(await rig.countUploads(`spoilt-${id}-copy`), 0);
    });

    test(`makes a copy in ${name} again that arrived with a changed byte once`, async () => {
      const { location, copy } = await openCopied(rig, `spoilt-once-${id}`, { query, config: smallParts });
      rig.s3.faults.add({ kind: "corrupt-copy", atByte: 7 }, { bucket: `spoilt-once-${id}-copy`, operation });

      await location.put("contents", body);

      assert.ok((await copy.get("contents")).equals(body));
    });

    test(`outlasts a storm of throttling of a copy in ${name}`, async () => {
      const { location, copy, warnings } = await openCopied(rig, `storm-${id}`, { query, config: smallParts });
      const slow = { kind: "error", status: 503, code: "SlowDown" } as const;
      const storm = rig.s3.faults.add(slow, { bucket: `storm-${id}-copy`, operation }, { times: 9 });

      await location.put("contents", body);

      assert.equal(storm.hits, 9);
      assert.ok((await copy.get("contents")).equals(body));
      assert.deepEqual(warnings(), []);
    });

    test(`is not deceived by a failure of a copy in ${name} that comes with the status of success`, async () => {
      const { location, copy } = await openCopied(rig, `late-${id}`, { query, config: smallParts });
      const late = { kind: "error-in-200", code: "InternalError" } as const;
      rig.s3.faults.add(late, { bucket: `late-${id}-copy`, operation }, { times: 2 });

      await location.put("contents", body);

      assert.ok((await copy.get("contents")).equals(body));
    });

    test(`needs no second copy in ${name} after a lost answer`, async () => {
      const { location, copy } = await openCopied(rig, `lost-${id}`, { query, config: smallParts });
      rig.s3.faults.add({ kind: "lose-response" }, { bucket: `lost-${id}-copy`, operation });

      await location.put("contents", body);

      assert.ok((await copy.get("contents")).equals(body));
    });

    test(`leaves a whole object and no part of its copy in ${name} when the plugin is killed meanwhile`, async () => {
      const session = rig.start();
      const bucket = `killed-${id}`;
      const { location, copy } = await openCopied(rig, bucket, { query, config: smallParts, session });
      const delay = rig.s3.faults.add({ kind: "delay", ms: 3000 }, { bucket: `${bucket}-copy`, operation }, forever);
      const put = failureOf(location.put("contents", body));
      await until("the copy has begun", () => delay.hits > 0);

      process.kill(session.manager.pids[0] ?? 0, "SIGKILL");
      const error = await put;
      delay.remove();

      assert.match(error.message, /killed by SIGKILL/);
      assert.ok((await location.get("contents")).equals(body));
      // What had left the process may still be done by the store; then it is whole.
      if (await copy.exists("contents")) assert.ok((await copy.get("contents")).equals(body));
      await location.put("contents", body);
      assert.ok((await copy.get("contents")).equals(body));
    });
  }

  test("fails as corrupt, and leaves nothing of the copy, when no way to make it is sound", async () => {
    const { location, copy } = await openCopied(rig, "no-way");
    const bucket = "no-way-copy";
    rig.s3.faults.add({ kind: "corrupt-copy", atByte: 7 }, { bucket, operation: "CopyObject" }, forever);
    rig.s3.faults.add({ kind: "lie-checksum" }, { bucket, operation: "PutObject" }, forever);

    const error = await failureOf(location.put("contents", small));

    assert.equal(error.kind, "corrupt");
    assert.deepEqual(await copy.list(), []);
    assert.ok((await location.get("contents")).equals(small));
  });

  test("leaves no upload when one part of a copy cannot be made", async () => {
    const options = { query: inParts, config: smallParts, session: impatient };
    const { location, copy } = await openCopied(rig, "one-part", options);
    const fault = { kind: "error", status: 403, code: "AccessDenied" } as const;
    rig.s3.faults.add(fault, { bucket: "one-part-copy", operation: "UploadPartCopy", partNumber: 3 }, forever);

    const error = await failureOf(location.put("contents", large));

    assert.equal(error.kind, "denied");
    assert.match(error.message, /part 3/);
    assert.equal(await rig.countUploads("one-part-copy"), 0);
    assert.deepEqual(await copy.list(), []);
  });

  test("copies what is there when the object is replaced while it is copied", async () => {
    const { location, copy } = await openCopied(rig, "raced");
    rig.s3.faults.add({ kind: "delay", ms: 1500 }, { bucket: "raced-copy", operation: "CopyObject" });
    const first = location.put("contents", small);
    await until("the copy has begun", () => rig.requestsOf("raced-copy", "CopyObject").length > 0);

    await Promise.all([first, location.put("contents", Buffer.from("later"))]);

    assert.equal((await copy.get("contents")).toString(), "later");
    assert.equal((await location.get("contents")).toString(), "later");
  });
});

describe("a get with copies", { concurrency: true, timeout: 600_000 }, () => {
  for (const [name, body] of [
    ["small", small],
    ["large", large],
  ] as const) {
    test(`of a ${name} object that is damaged comes from the copy byte for byte, with one warning`, async () => {
      const { location, warnings } = await openCopied(rig, `damaged-${name}`, { config: smallParts });
      await location.put("contents", body);
      await location.flipBit("contents", body.length - 1);

      const [first, second] = [await location.get("contents"), await location.get("contents")];

      assert.ok(first.equals(body) && second.equals(body));
      await until("the warning came", () => warnings().length > 0);
      assert.equal(warnings().length, 1);
      assert.match(warnings()[0] ?? "", new RegExp(`reading an object from its copy: s3://damaged-${name}-copy`));
    });

    test(`of a ${name} object that was deleted beside the plugin comes from the copy`, async () => {
      const { location, warnings } = await openCopied(rig, `deleted-${name}`, { config: smallParts });
      await location.put("contents", body);
      const beside = await rig.open(`deleted-${name}`, { bucketIs: "there", session: impatient });
      await beside.store.deleteObject(beside.at("contents"));

      assert.equal(await location.exists("contents"), true);
      assert.ok((await location.get("contents")).equals(body));

      await until("both calls have warned", () => warnings().length === 2);
    });

    test(`of a ${name} object that neither place has whole yields nothing`, async () => {
      const { location, copy } = await openCopied(rig, `both-${name}`, { config: smallParts });
      await location.put("contents", body);
      await location.flipBit("contents", 10);
      await copy.flipBit("contents", 10);

      const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

      assert.equal(error.kind, "corrupt");
      assert.equal(receivedBytes, 0);
      assert.match(error.message, new RegExp(`bucket "both-${name}".*s3://both-${name}-copy: .*damaged in the store`));
    });
  }

  test("does not serve the copy of an older object for a damaged one", async () => {
    const { location, copy } = await openCopied(rig, "older", { query: { mode: "best-effort" } });
    await location.put("contents", Buffer.from("older"));
    const denied = { kind: "error", status: 403, code: "AccessDenied" } as const;
    rig.s3.faults.add(denied, { bucket: "older-copy", operation: "CopyObject" }, forever);
    await location.put("contents", Buffer.from("newer"));
    await location.flipBit("contents", 1);

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("contents")));

    assert.equal((await copy.get("contents")).toString(), "older");
    assert.deepEqual([error.kind, receivedBytes], ["corrupt", 0]);
  });
});

describe("a delete with copies", { concurrency: true }, () => {
  test("takes the copy along", async () => {
    const { location, copy } = await openCopied(rig, "delete");
    await location.put("contents", small);

    await location.store.deleteObject(location.at("contents"));

    assert.deepEqual([await location.list(), await copy.list()], [[], []]);
  });

  test("deletes nothing where a required copy may not be deleted, and can be tried again", async () => {
    const { location, copy } = await openCopied(rig, "delete-denied");
    await location.put("contents", small);
    const match = { bucket: "delete-denied-copy", operation: "DeleteObject" };
    const fault = rig.s3.faults.add({ kind: "error", status: 403, code: "AccessDenied" }, match, forever);

    const error = await failureOf(location.store.deleteObject(location.at("contents")));
    assert.equal(error.kind, "denied");
    assert.deepEqual(await location.list(), ["contents"]);

    fault.remove();
    await location.store.deleteObject(location.at("contents"));
    assert.deepEqual([await location.list(), await copy.list()], [[], []]);
  });
});

describe("a delete that the location's own bucket refuses", { concurrency: true }, () => {
  test("leaves the object its copy", async () => {
    const { location, copy } = await openCopied(rig, "kept");
    await location.put("contents", small);
    const match = { bucket: "kept", operation: "DeleteObject" };
    rig.s3.faults.add({ kind: "error", status: 403, code: "AccessDenied" }, match, forever);

    const error = await failureOf(location.store.deleteObject(location.at("contents")));

    assert.equal(error.kind, "denied");
    assert.ok((await copy.get("contents")).equals(small));
  });
});

describe("the check of a location with copies", { concurrency: true }, () => {
  test("tries what each target needs, and leaves nothing", async () => {
    const { location, copy } = await openCopied(rig, "check-copies", { config: { prefix: "team" } });

    const findings = await collectAll(location.store.check());

    const ofCopies = findings.filter(({ subject }) => subject.startsWith("copyTo s3://check-copies-copy: "));
    assert.deepEqual(
      ofCopies.map(({ severity, subject }) => [severity, subject.split(": ")[1]]),
      ["s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "copy"].map(
        (subject) => ["ok", subject],
      ),
    );
    assert.deepEqual([await location.list(), await copy.list()], [[], []]);
  });

  test("tells which backups have no copy, as those that are older than copyTo", async () => {
    const before = await rig.open("check-older", { config: { prefix: "team" } });
    for (const name of ["one", "two"]) await before.put(`team/backups/${name}/velero-backup.json`, small);
    const late = { config: { prefix: "team" }, path: "there", bucketIs: "there" } as const;
    const { location } = await openCopied(rig, "check-older", late);
    await location.put("team/backups/two/velero-backup.json", small);

    const found = (await collectAll(location.store.check())).find(({ subject }) => subject.endsWith(": backups"));

    assert.equal(found?.severity, "advice");
    assert.equal(found?.subject, "copyTo s3://check-older-copy/there: backups");
    assert.match(found?.detail ?? "", /^1 have no copy here.*: one$/);
    assert.match(found?.remedy ?? "", /flotilla backup copy --all/);
  });

  test("tells which backups are another location's", async () => {
    const { location, copy } = await openCopied(rig, "check-shared");
    await copy.put("backups/nightly/velero-backup.json", small);

    const found = (await collectAll(location.store.check())).find(({ subject }) => subject.endsWith("other backups"));

    assert.equal(found?.severity, "advice");
    assert.match(`${found?.detail} ${found?.remedy}`, /1 are here and not in the location: nightly.*a path of its own/);
  });

  test("advises against a bucket that is lost together with the location's own", async () => {
    const { location } = await openCopied(rig, "check-near", { copyRegion: "us-east-1" });

    const findings = await collectAll(location.store.check());

    const told = findings.find(({ subject }) => subject === "copyTo s3://check-near-copy: region");
    assert.equal(told?.severity, "advice");
    assert.match(told?.detail ?? "", /in us-east-1, as the location's own, and is lost together with it/);
  });

  test("finds the location's own bucket behind another name of its store", async () => {
    const s3Url = rig.s3.url.replace("127.0.0.1", "localhost");
    const query = new URLSearchParams({ s3Url, s3ForcePathStyle: "true" });
    const location = await rig.open("check-self", { config: { copyTo: `s3://check-self/dr?${query.toString()}` } });

    const findings = await collectAll(location.store.check());

    const told = findings.find(({ subject }) => subject === "copyTo s3://check-self/dr: copy");
    assert.equal(told?.severity, "failure");
    assert.match(told?.detail ?? "", /is the location's own bucket/);
    assert.deepEqual(await location.list(), []);
  });

  test("tells what a target holds that a server there would refuse", async () => {
    const { location, copy } = await openCopied(rig, "check-others", { path: "dr" });
    await copy.put("dr/photos/cat.jpg", small);

    const findings = await collectAll(location.store.check());

    const told = findings.find(({ subject }) => subject === "copyTo s3://check-others-copy/dr: folders");
    assert.equal(told?.severity, "failure");
    assert.match(told?.detail ?? "", /there is photos below dr\//);
  });

  test("tells what a target lacks, as a failure only where the copy is required", async () => {
    const required = await openCopied(rig, "check-required", { copyIs: "missing" });
    const query = { mode: "best-effort" };
    const bestEffort = await openCopied(rig, "check-best-effort", { copyIs: "missing", query });

    const [failed, advised] = [
      await collectAll(required.location.store.check()),
      await collectAll(bestEffort.location.store.check()),
    ];

    assert.ok(failed.some(({ severity, subject }) => severity === "failure" && subject.startsWith("copyTo")));
    assert.ok(advised.some(({ severity, subject }) => severity === "advice" && subject.startsWith("copyTo")));
    assert.ok(advised.every(({ severity }) => severity !== "failure"));
  });
});
