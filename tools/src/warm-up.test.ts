import assert from "node:assert/strict";
import { test } from "node:test";
import { parseWarmUp } from "./warm-up.ts";

test("a warm-up that lacks a part or has another form is refused", () => {
  const whole = { environment: {}, objectStore: { name: "a/b", config: {} }, answer: { contentType: "t", body: "" } };
  for (const part of ["environment", "objectStore", "answer"]) {
    assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, [part]: undefined })), /warm-up\.json needs/);
  }
  assert.throws(() => parseWarmUp("[]"), /warm-up\.json needs/);
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, environment: { A: 1 } })), /warm-up\.json needs/);
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, answer: { body: "" } })), /contentType/);
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, files: { a: 1 } })), /files/);
});

test("a whole warm-up is read as it is written", () => {
  const whole = {
    environment: { A: "1" },
    files: { credentials: "KEY=value" },
    objectStore: { name: "a/b", config: { url: "{endpoint}" } },
    answer: { contentType: "t", body: "b" },
  };

  assert.deepEqual(parseWarmUp(JSON.stringify(whole)), whole);
});
