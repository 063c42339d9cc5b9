import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Metadata, status } from "@grpc/grpc-js";

import { fixtureName } from "../testing/fixture-path.ts";
import { FixtureProcess, putMessage, serverChunkBytes } from "../testing/fixture-process.ts";
import { Journal } from "../testing/journal.ts";
import { RawPut } from "../testing/raw-put.ts";
import { untilSteady } from "../testing/until-steady.ts";
import { explicitEndHeader, velero } from "../wire/index.ts";

const { objectExists } = velero.ObjectStore.method;

let fixture: FixtureProcess;
before(() => {
  fixture = new FixtureProcess();
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("a put without a message is refused", async () => {
  const { stream, finished } = await fixture.startPut();

  stream.end();

  await assert.rejects(finished, { code: status.INVALID_ARGUMENT, details: /before a message said which object/ });
});

test("a put without a key is refused", async () => {
  await fixture.initObjectStore({ bucket: "no-key" });

  const put = fixture.put({ bucket: "no-key", key: "" }, Buffer.from("x"));

  await assert.rejects(put, { code: status.INVALID_ARGUMENT, details: /no key/ });
});

for (const fault of ["put-fails-at-once", "put-fails-midway"] as const) {
  test(`a store where ${fault.replaceAll("-", " ")} is answered after the whole stream was taken`, async () => {
    await fixture.initObjectStore({ bucket: fault, fault });
    const { stream, finished } = await fixture.startPut();
    finished.catch(() => {});

    for (let sent = 0; sent < 500; sent += 1)
      if (!stream.write(putMessage({ bucket: fault, key: "k" }, Buffer.alloc(serverChunkBytes))))
        await once(stream, "drain");
    stream.end();

    await assert.rejects(finished, {
      code: status.UNAVAILABLE,
      details: fault.replace("put-fails-", "put failed ").replace("-", " "),
    });
  });
}

for (const sizeBytes of [600_000, 3_000_000])
  test(`a put in one message of ${sizeBytes} bytes is stored`, async () => {
    const object = { bucket: `one-message-${sizeBytes}`, key: "k" };
    await fixture.initObjectStore({ bucket: object.bucket });
    const { stream, finished } = await fixture.startPut();
    const body = Buffer.alloc(sizeBytes, "one message");

    stream.end(putMessage(object, body));

    await finished;
    assert.ok(Buffer.concat(await fixture.get(object)).equals(body));
  });

for (const sentBytes of [16_000, 600_000])
  test(`a store that failed after ${sentBytes} bytes and reads on in the background never takes the put for whole`, async () => {
    const journal = new Journal();
    const object = { bucket: `reads-on-${sentBytes}`, key: "k" };
    await fixture.initObjectStore({ bucket: object.bucket, fault: "put-fails-and-reads-on", journal: journal.path });

    await assert.rejects(fixture.put(object, Buffer.alloc(sentBytes)), { code: status.UNAVAILABLE });

    await journal.waitFor("read on: incomplete");
    assert.doesNotMatch(journal.text, /whole/);
  });

test("a put that the store ends before its end is no success", async () => {
  await fixture.initObjectStore({ bucket: "early", fault: "put-resolves-early" });

  const put = fixture.put({ bucket: "early", key: "k" }, Buffer.alloc(300_000));

  await assert.rejects(put, { code: status.INTERNAL, details: /stored before its end was read/ });
});

const interruptions: Readonly<Record<string, (put: RawPut, messages: velero.PutObjectRequest[]) => Promise<void>>> = {
  "reset together with its last bytes": async (put, messages) => {
    put.sendAndReset(messages);
    await delay(20);
  },
  "reset a moment after its last bytes": async (put, messages) => {
    put.send(messages);
    await delay(messages.length % 6);
    put.reset();
    await delay(20);
  },
  "whose connection breaks": async (put, messages) => {
    put.send(messages);
    await delay(messages.length % 6);
  },
};

for (const [title, interrupt] of Object.entries(interruptions)) {
  test(`a put ${title} is never taken for complete`, async () => {
    const journal = new Journal();
    const bucket = title.replaceAll(" ", "-");
    await fixture.initObjectStore({ bucket, fault: "put-keeps-a-journal", journal: journal.path });
    const [, , , path] = await fixture.handshake();

    for (let round = 0; round < 40; round += 1) {
      using put = await RawPut.open(path ?? "");
      const message = putMessage({ bucket, key: `k-${round}` }, Buffer.alloc(16_000));
      await interrupt(
        put,
        Array.from({ length: 1 + (round % 20) }, () => message),
      );
    }

    await journal.waitFor(": incomplete");
    // Which of them the plugin hears of before they are gone depends on its turn; all that it heard of has ended then.
    await untilSteady(() => journal.text.length, Infinity);
    assert.doesNotMatch(journal.text, /stored/);
  });
}

test("a host that promises an explicit end may be cancelled at any point, also by a client that ends before it resets", async () => {
  const bucket = "explicit-cancelled";
  const journal = new Journal();
  await fixture.initObjectStore({ bucket, fault: "put-keeps-a-journal", journal: journal.path });

  for (let round = 0; round < 40; round += 1) {
    const { stream, finished } = await fixture.startPut(explicitEnd());
    const message = putMessage({ bucket, key: `k-${round}` }, Buffer.alloc(serverChunkBytes));
    for (let sent = 0; sent <= round; sent += 1) stream.write(message);
    await delay(round % 20);
    stream.cancel();
    await assert.rejects(finished);
  }

  await journal.waitFor(": incomplete");
  await untilSteady(() => journal.text.length, Infinity);
  assert.doesNotMatch(journal.text, /stored/);
});

test("a host that promises an explicit end and half-closes without it has stored nothing", async () => {
  const object = { bucket: "explicit-missing", key: "k" };
  await fixture.initObjectStore({ bucket: object.bucket });
  const { stream, finished } = await fixture.startPut(explicitEnd());

  stream.write(putMessage(object, Buffer.from("half")));
  stream.end();

  await assert.rejects(finished, { code: status.CANCELLED, details: /broke the put off/ });
  const { exists } = await fixture.call(objectExists, { plugin: fixtureName, ...object });
  assert.equal(exists, false);
});

test("a host that promises an explicit end and keeps its word has stored the object", async () => {
  const object = { bucket: "explicit-kept", key: "k" };
  await fixture.initObjectStore({ bucket: object.bucket });
  const { stream, finished } = await fixture.startPut(explicitEnd());

  stream.write(putMessage(object, Buffer.from("whole")));
  stream.write(putMessage(object, Buffer.alloc(0)));
  stream.end();

  await finished;
  assert.equal(Buffer.concat(await fixture.get(object)).toString(), "whole");
});

test("a store that does not read slows the host down", async () => {
  await fixture.initObjectStore({ bucket: "slow", fault: "put-waits" });
  const { stream, finished } = await fixture.startPut();
  finished.catch(() => {});
  let acceptedBytes = 0;

  for (let sent = 0; sent < 2000; sent += 1)
    stream.write(putMessage({ bucket: "slow", key: "k" }, Buffer.alloc(serverChunkBytes)), () => {
      acceptedBytes += serverChunkBytes;
    });
  await delay(500);

  assert.ok(acceptedBytes < 4 * 1024 * 1024, `${acceptedBytes} bytes`);
  stream.cancel();
});

function explicitEnd(): Metadata {
  const metadata = new Metadata();
  metadata.set(explicitEndHeader, "true");
  return metadata;
}
