import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import type { PipelineRequest, PipelineResponse } from "@azure/core-rest-pipeline";
import { TestClock } from "@flotilla/sdk/testing";
import { PatientClient } from "./patient-client.ts";

/** A client before a store that answers this, and what it is asked with. */
function before(status: number, headers: Record<string, string>) {
  const clock = new TestClock({ skipsSleep: true });
  const seen: PipelineRequest[] = [];
  const inner = {
    sendRequest: async (request: PipelineRequest): Promise<PipelineResponse> => {
      seen.push(request);
      return { status, headers: createHttpHeaders(headers), request };
    },
  };
  const client = new PatientClient(inner, { maxTries: 4, baseMs: 10, maxMs: 20, clock });
  return { client, clock, seen, request: createPipelineRequest({ url: "https://a.blob.core.windows.net/c" }) };
}

for (const [headers, waitMs] of [
  [{ "retry-after": "30" }, 30_000],
  [{ "retry-after-ms": "700", "retry-after": "30" }, 700],
  [{ "x-ms-retry-after-ms": "900" }, 900],
] as const) {
  test(`a throttled request is sent again when the store says: ${JSON.stringify(headers)}`, async () => {
    const { client, clock, seen, request } = before(429, headers);

    await client.sendRequest(request);

    assert.equal(seen.length, 4);
    assert.deepEqual(clock.sleptMs, [waitMs, waitMs, waitMs]);
  });
}

test("what the SDK sends again waits as the store says, but not after the last try", async () => {
  const { client, clock, seen, request } = before(503, { "retry-after": "7" });

  for (let tries = 1; tries <= 4; tries += 1) await client.sendRequest(request);

  assert.equal(seen.length, 4);
  assert.deepEqual(clock.sleptMs, [7000, 7000, 7000]);
});

test("nobody waits for a store longer than a minute at a time and three in all", async () => {
  const [long, often] = [before(429, { "retry-after": "61" }), before(503, { "retry-after": "60" })];

  await long.client.sendRequest(long.request);
  for (let tries = 1; tries <= 4; tries += 1) await often.client.sendRequest(often.request);

  assert.ok(long.clock.sleptMs.every((ms) => ms <= 20));
  assert.deepEqual(often.clock.sleptMs, [60_000, 60_000, 60_000]);
});
