import assert from "node:assert/strict";
import { test } from "node:test";

import { parseConfig } from "./config.ts";
import { copyKeys, parseCopyRegions, parseZoneMap } from "./copy-keys.ts";

const options = ["kmsKeyId", "project"] as const;

for (const [value, reason] of [
  ["eu-west-1?kmsKey=x", /unknown option kmsKey; known are kmsKeyId, project/],
  ["eu-west-1?kmsKeyId=", /kmsKeyId is empty/],
  ["eu-west-1?project=a&project=b", /project is given twice/],
  ["eu-west-1, eu-west-1?project=a", /eu-west-1 is given twice/],
  ["EU-WEST-1", /lower-case/],
  ["s3://bucket", /lower-case/],
  ["?project=a", /lower-case/],
  [" , ", /no region/],
] as const) {
  test(`copyToRegions "${value}" is refused`, () => {
    assert.throws(() => parseCopyRegions(value, options), reason);
  });
}

test("regions are separated by commas, white space or both, and keep their options", () => {
  const targets = parseCopyRegions(
    "eu-west-1?kmsKeyId=arn:aws:kms:x:1:key/k&project=p,\n westeurope  us-east1",
    options,
  );

  assert.deepEqual(targets, [
    { region: "eu-west-1", options: { kmsKeyId: "arn:aws:kms:x:1:key/k", project: "p" } },
    { region: "westeurope", options: {} },
    { region: "us-east1", options: {} },
  ]);
});

for (const value of ["a", "a=", "=b", "a=b=c", "a=b, a=c"]) {
  test(`zoneMap "${value}" is refused`, () => {
    assert.throws(() => parseZoneMap(value));
  });
}

test("zones are mapped", () => {
  assert.deepEqual(
    [...parseZoneMap("a=b, c=d")],
    [
      ["a", "b"],
      ["c", "d"],
    ],
  );
});

test("a location without these keys copies nowhere", () => {
  const values = parseConfig({ keys: copyKeys([]) }, {});

  assert.deepEqual(values, { copyToRegions: [], zoneMap: new Map(), defaultZone: undefined });
});

test("a wrong value is refused at open with the key's name", () => {
  assert.throws(() => parseConfig({ keys: copyKeys([]) }, { copyToRegions: "eu-west-1?a=b" }), {
    kind: "invalid-config",
    message: /copyToRegions: eu-west-1 has the unknown option a/,
  });
});
