import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { status } from "@grpc/grpc-js";

import { FixtureProcess } from "../testing/fixture-process.ts";
import { Journal } from "../testing/journal.ts";
import { untilSteady } from "../testing/until-steady.ts";
import type { velero } from "../wire/index.ts";

const limitBytes = 8 * 1024 * 1024;

let fixture: FixtureProcess;
before(() => {
  fixture = new FixtureProcess();
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
});

test("an absent object answers not found, in the words that the server looks for", async () => {
  await fixture.initObjectStore({ bucket: "absent" });

  const get = fixture.get({ bucket: "absent", key: "k" });

  await assert.rejects(get, { code: status.NOT_FOUND, details: /not found/ });
});

test("a denied get never reads as an absent object, whatever the cloud said", async () => {
  await fixture.initObjectStore({ bucket: "quotes", fault: "quotes-the-cloud" });

  const get = fixture.get({ bucket: "quotes", key: "k" });

  await assert.rejects(get, {
    code: status.PERMISSION_DENIED,
    details: 'get object "k": no such key, the specified bucket is missing (host missing)',
  });
});

test("an object found corrupt at its end fails the get after its last byte", async () => {
  const object = { bucket: "corrupt", key: "k" };
  await fixture.initObjectStore({ bucket: "corrupt", fault: "get-ends-corrupt" });
  await fixture.put(object, Buffer.alloc(600_000, 1));
  const received: Uint8Array[] = [];

  const get = (async () => {
    for await (const message of await fixture.startGet(object)) received.push((message as velero.Bytes).data);
  })();

  await assert.rejects(get, { code: status.DATA_LOSS, details: /checksum differs/ });
});

test("a get whose reader stops asks the store for no more than a few messages", async () => {
  const journal = new Journal();
  await fixture.initObjectStore({ bucket: "abandoned", fault: "get-is-endless", journal: journal.path });
  const stream = await fixture.startGet({ bucket: "abandoned", key: "k" });
  stream.on("error", () => {});

  await once(stream, "readable");
  stream.read();
  await journal.waitFor("produced");
  const producedBytes = await untilSteady(() => lastProduced(journal.text), limitBytes);

  assert.ok(producedBytes <= limitBytes, `${producedBytes} bytes`);
  stream.cancel();
  await journal.waitFor("freed k");
});

function lastProduced(events: string): number {
  return Number([...events.matchAll(/produced (\d+)/g)].at(-1)?.[1] ?? 0);
}
