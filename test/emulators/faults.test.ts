import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";

import { ConnectionGone, Faults } from "./faults.ts";
import type { RequestFacts } from "./faults.ts";

const request: RequestFacts = {
  service: "s3",
  method: "PUT",
  operation: "PutObject",
  query: new Map(),
  headers: new Map(),
};

test("a stall that comes after its fault was taken away ends at once, though nobody will end it", async () => {
  const faults = new Faults();
  faults.add({ kind: "stall-request", afterBytes: 10 });
  const [fault] = faults.take(request);
  faults.clear();
  const socket = new Socket();

  await assert.rejects(faults.stall(socket, fault), ConnectionGone);

  assert.ok(socket.destroyed);
});

test("a stall lasts until its fault is taken away", async () => {
  const faults = new Faults();
  faults.add({ kind: "stall-request", afterBytes: 10 });
  const [fault] = faults.take(request);
  const socket = new Socket();
  const outcome = faults.stall(socket, fault);

  assert.equal(socket.destroyed, false);
  faults.clear();

  await assert.rejects(outcome, ConnectionGone);
});
