import assert from "node:assert/strict";
import { test } from "node:test";
import { parseWarmUp } from "./warm-up.ts";

const whole = {
  environment: { A: "1" },
  files: { credentials: "KEY=value" },
  objectStores: [{ name: "a/b", config: { url: "{endpoint}" } }],
  answers: [
    { path: "/token", contentType: "t", headers: { etag: "e" }, body: "b" },
    { contentType: "t", body: "b" },
  ],
};

test("a warm-up that lacks a part or has another form is refused", () => {
  for (const part of ["environment", "objectStores", "answers"]) {
    assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, [part]: undefined })), /warm-up\.json needs/);
  }
  assert.throws(() => parseWarmUp("[]"), /warm-up\.json needs/);
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, environment: { A: 1 } })), /warm-up\.json needs/);
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, objectStores: [{ name: "a" }] })), /config/);
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, answers: [{ body: "" }] })), /contentType/);
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, files: { a: 1 } })), /files/);
  const headers = { contentType: "t", headers: { a: 1 }, body: "b" };
  assert.throws(() => parseWarmUp(JSON.stringify({ ...whole, answers: [headers] })), /headers/);
});

test("a whole warm-up is read as it is written", () => {
  assert.deepEqual(parseWarmUp(JSON.stringify(whole)), whole);
});
