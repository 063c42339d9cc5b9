import assert from "node:assert/strict";
import { test } from "node:test";

import { restorePlace } from "./restore-place.ts";

const places = {
  region: "eu-west-1",
  isHere: (zone: string) => zone.startsWith("eu-west-1"),
  zoneMap: new Map([["eu-central-1a", "eu-west-1b"]]),
  defaultZone: undefined,
};

for (const [recorded, said] of [
  [
    "eu-central-1c",
    /the recorded zone eu-central-1c is not in eu-west-1.*zoneMap \(eu-central-1c=ZONE\) or defaultZone/,
  ],
  ["", /recorded no availability zone; set the location's key defaultZone to one of eu-west-1/],
] as const) {
  test(`the recorded zone "${recorded}" without a mapping or default is refused with the keys that help`, () => {
    assert.throws(() => restorePlace("snap-1", recorded, places), { kind: "invalid-config", message: said });
  });
}

for (const [title, recorded, more, zone, reason] of [
  ["a zone of this region stays", "eu-west-1a", {}, "eu-west-1a", ""],
  ["a mapped zone is replaced", "eu-central-1a", { defaultZone: "eu-west-1c" }, "eu-west-1b", "zoneMap"],
  [
    "an unmapped zone of elsewhere gets the default",
    "eu-central-1b",
    { defaultZone: "eu-west-1c" },
    "eu-west-1c",
    "defaultZone",
  ],
  ["no zone gets the default", "", { defaultZone: "eu-west-1c" }, "eu-west-1c", "defaultZone"],
  [
    "a zone of this region is replaced too, where the map says so",
    "eu-west-1a",
    { zoneMap: new Map([["eu-west-1a", "eu-west-1b"]]) },
    "eu-west-1b",
    "zoneMap",
  ],
] as const) {
  test(title, () => {
    assert.deepEqual(restorePlace("snap-1", recorded, { ...places, ...more }), { zone, reason });
  });
}
