import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isJsonObject, parseJson, printJson } from "./persistent-volume.ts";

const numbers = ["12345678901234567890", "0.1000000000000000055511151231257827", "1e400", "-0", "1.0", "1E5", "0.10"];

for (const number of numbers)
  test(`the number ${number} is printed as it was read`, () => {
    assert.equal(printJson(parseJson(`{"a":[${number}]}`)), `{"a":[${number}]}`);
  });

test("an ordinary number is a number", () => {
  assert.deepEqual(parseJson("[1, -2.5, 0]"), [1, -2.5, 0]);
});

test("text that is no JSON is refused", () => {
  assert.throws(() => parseJson("{"), SyntaxError);
});

test("only objects are objects: no array, no number that kept its text, no null", () => {
  const values = ["{}", "[]", "1e400", "null", `"{}"`, "true"].map((text) => isJsonObject(parseJson(text)));

  assert.deepEqual(values, [true, false, false, false, false, false]);
  assert.equal(isJsonObject(undefined), false);
});

test("any JSON prints as it was read", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const compact = JSON.stringify(JSON.parse(text));

      // A double prints "-0" as "0" and rounds; where it does neither, both ways agree.
      fc.pre(!text.includes("-0"));
      assert.equal(printJson(parseJson(compact)), compact);
    }),
  );
});

test("any number of any length keeps every digit", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?$/), (number) => {
      assert.equal(printJson(parseJson(`[${number}]`)), `[${number}]`);
    }),
  );
});
