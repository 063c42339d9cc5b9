import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind } from "@flotilla/sdk/plugin";
import * as fc from "fast-check";
import {
  newDiskName,
  newSnapshotName,
  parseComputeId,
  printComputeId,
  printVolumeRef,
  readSnapshotId,
  readVolumeRef,
} from "./managed-disk-ids.ts";
import type { ComputeId, Place } from "./managed-disk-ids.ts";

const home: Place = { subscription: "0000-aa", resourceGroup: "MC_home" };

const segment = fc.stringMatching(/^[\w()-][\w.()-]{0,29}$/);
const place = fc.record({ subscription: segment, resourceGroup: segment });
const computeId: fc.Arbitrary<ComputeId> = fc.record(
  {
    subscription: segment,
    resourceGroup: segment,
    type: fc.constantFrom("disks" as const, "snapshots" as const),
    name: segment,
  },
  { noNullPrototype: true },
);

function printed(id: Partial<ComputeId>): string {
  return printComputeId({ ...home, type: "snapshots", name: "s", ...id });
}

/** The fixed words of an id in a case that Azure also prints. */
function inOtherCase(text: string, words: (word: string) => string): string {
  return text.replaceAll(/subscriptions|resourceGroups|providers|Microsoft\.Compute|\/disks\/|\/snapshots\//g, words);
}

test("every id that is printed is read back", () => {
  fc.assert(fc.property(computeId, (id) => assert.deepEqual(parseComputeId(printComputeId(id)), id)));
});

test("an id is read in whatever case its fixed words are, and its names stay as they are", () => {
  fc.assert(
    fc.property(computeId, fc.boolean(), (id, isUpper) => {
      const odd = inOtherCase(printComputeId(id), (word) => (isUpper ? word.toUpperCase() : word.toLowerCase()));

      assert.deepEqual(parseComputeId(odd), id);
    }),
  );
});

test("whatever is read as an id is printed in the official plugin's spelling", () => {
  const official = /^\/subscriptions\/.*\/resourceGroups\/.*\/providers\/Microsoft.Compute\/(disks|snapshots)\/.*$/;
  fc.assert(
    fc.property(computeId, (id) => {
      const read = parseComputeId(printComputeId(id).toUpperCase());

      assert.match(read === undefined ? "" : printComputeId(read), official);
    }),
  );
});

test("a volume id leads back to its disk, whatever the default place is", () => {
  fc.assert(
    fc.property(computeId, place, (id, defaultPlace) => {
      const disk: ComputeId = { ...id, type: "disks" };

      assert.equal(
        printComputeId(readVolumeRef(printVolumeRef(disk, defaultPlace), defaultPlace)),
        printComputeId(disk),
      );
    }),
    // The names of the default place are spelled as the location spells them, where that is another case.
    { examples: [[{ ...home, type: "disks", name: "d" }, home]] },
  );
});

test("a disk of the default place is named as the official plugin names it, in whatever case the place is spelled", () => {
  assert.equal(
    printVolumeRef({ subscription: "0000-AA", resourceGroup: "mc_HOME", type: "disks", name: "d" }, home),
    "d",
  );
});

test("a disk elsewhere is named by its ARM id", () => {
  const disk: ComputeId = { ...home, resourceGroup: "other", type: "disks", name: "d" };

  assert.equal(printVolumeRef(disk, home), printComputeId(disk));
});

const noSnapshots: readonly string[] = [
  "",
  "s",
  "snap-0123",
  printed({ type: "disks" }),
  `${printed({})}/extra`,
  `x${printed({})}`,
  printed({ name: "" }),
  printed({ name: ".." }),
  printed({ resourceGroup: "." }),
  printed({}).replace("Microsoft.Compute", "Microsoft.Storage"),
];

for (const id of noSnapshots)
  test(`"${id}" is refused as a snapshot id`, () => {
    assert.throws(
      () => readSnapshotId(id),
      (error) => isKind(error, "invalid-argument"),
    );
  });

for (const id of ["", "a/b", "..", printed({})])
  test(`"${id}" is refused as a volume id`, () => {
    assert.throws(
      () => readVolumeRef(id, home),
      (error) => isKind(error, "invalid-argument"),
    );
  });

test("the name of a snapshot is the disk's, a hyphen and something unique, in at most 80 characters", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\w.-]{1,80}$/), fc.uuid(), (diskName, uniqueId) => {
      const name = newSnapshotName(diskName, uniqueId);

      assert.ok(name.length <= 80);
      assert.equal(name, `${diskName.slice(0, 43)}-${uniqueId}`);
    }),
  );
});

test("names of their own are given to each snapshot and disk", () => {
  assert.notEqual(newSnapshotName("d"), newSnapshotName("d"));
  assert.match(newDiskName(), /^restore-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});
