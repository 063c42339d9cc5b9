import assert from "node:assert/strict";
import { test } from "node:test";
import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { TestClock } from "@flotilla/sdk/testing";
import { ThrottledClient } from "./throttled-client.ts";

async function triesOf(status: number, headers: Record<string, string> = {}): Promise<number> {
  let tries = 0;
  const sendRequest: ThrottledClient["sendRequest"] = async (request) => {
    tries += 1;
    return { status, headers: createHttpHeaders(headers), request };
  };
  const client = new ThrottledClient({ sendRequest }, new TestClock({ skipsSleep: true }));
  const response = await client.sendRequest(createPipelineRequest({ url: "https://arm.example" }));
  assert.equal(response.status, status);
  return tries;
}

test("a 429 that does not say when is asked again for a while", async () => {
  assert.equal(await triesOf(429), 6);
});

test("a 429 that says when, and any other answer, is left to the SDK", async () => {
  assert.equal(await triesOf(429, { "retry-after": "0" }), 1);
  assert.equal(await triesOf(429, { "x-ms-retry-after-ms": "5" }), 1);
  assert.equal(await triesOf(503), 1);
  assert.equal(await triesOf(200), 1);
});
