import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isKind } from "@flotilla/sdk/plugin";
import {
  newDiskName,
  newSnapshotName,
  parseDiskHandle,
  parseDiskUrl,
  printDiskHandle,
  printGceId,
  readLocation,
  requireName,
} from "./persistent-disk-ids.ts";

const uniqueId = "01234567-89ab-4cde-8f01-23456789abcd";
const segment = fc.stringMatching(/^[^/]{1,20}$/);
const diskName = fc.stringMatching(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);

test("any handle of the CSI driver is read and printed as it was", () => {
  const parts = fc.record({
    project: segment,
    scope: fc.constantFrom("zones", "regions"),
    location: segment,
    name: segment,
  });
  fc.assert(
    fc.property(parts, ({ project, scope, location, name }) => {
      const text = `projects/${project}/${scope}/${location}/disks/${name}`;

      const handle = parseDiskHandle(text);

      assert.deepEqual(handle, { project, scope, location, name });
      assert.equal(handle && printDiskHandle(handle), text);
    }),
  );
});

test("nothing else is a handle", () => {
  for (const text of [
    "",
    "disk-1",
    "projects/p/zones/z/disks/",
    "projects/p/zones/z/disks/d/x",
    "projects/p/places/z/disks/d",
    "/projects/p/zones/z/disks/d",
    "projects/p/zones/z/disks/d\nprojects/p/zones/z/disks/e",
    "https://www.googleapis.com/compute/v1/projects/p/zones/z/disks/d",
  ])
    assert.equal(parseDiskHandle(text), undefined);
});

test("the URL of a disk is read whatever stands before its project", () => {
  const expected = { project: "p", scope: "zones", location: "z", name: "d" };

  assert.deepEqual(parseDiskUrl("https://www.googleapis.com/compute/v1/projects/p/zones/z/disks/d"), expected);
  assert.deepEqual(parseDiskUrl("https://compute.example/v1/projects/p/zones/z/disks/d"), expected);
  assert.equal(parseDiskUrl(""), undefined);
});

test("a zone is one place, and zones joined by two underscores are a region", () => {
  assert.deepEqual(readLocation("us-central1-a"), { scope: "zones", name: "us-central1-a" });
  assert.deepEqual(readLocation("us-central1-a__us-central1-f"), {
    scope: "regions",
    name: "us-central1",
    replicaZones: ["us-central1-a", "us-central1-f"],
  });
  assert.equal(readLocation("u-us-prp1-a__u-us-prp1-b").name, "u-us-prp1");
});

test("what is no zone never reaches a URL", () => {
  for (const text of ["", "__", "us-central1-a__", "../x", "us central1-a", "zones/us-central1-a"])
    assert.throws(
      () => readLocation(text),
      (error) => isKind(error, "invalid-argument"),
    );
});

test("a name of Compute Engine is taken, and nothing that could lead a request to another path", () => {
  fc.assert(fc.property(diskName, (name) => requireName(name, "volume") === name));
  for (const name of ["", ".", "..", "a/b", "a?b", "A", "-a", "a-", "a".repeat(64), "snapshot\n"])
    assert.throws(
      () => requireName(name, "snapshot"),
      (error) => isKind(error, "invalid-argument"),
    );
});

test("a snapshot of any disk has a name that Compute Engine takes, which begins like the disk's", () => {
  fc.assert(
    fc.property(diskName, fc.uuid({ version: 4 }), (disk, id) => {
      const name = newSnapshotName(disk, id);

      assert.equal(requireName(name, "snapshot"), name);
      assert.equal(name, `${disk.slice(0, 26)}-${id}`);
    }),
  );
});

test("names are the official plugin's", () => {
  assert.equal(newSnapshotName("pvc-1", uniqueId), `pvc-1-${uniqueId}`);
  assert.equal(newDiskName(uniqueId), `restore-${uniqueId}`);
});

test("ids are printed as URLs end", () => {
  const location = { scope: "zones", name: "z" } as const;

  assert.equal(printGceId({ type: "snapshots", project: "p", name: "s" }), "projects/p/global/snapshots/s");
  assert.equal(printGceId({ type: "disks", project: "p", location, name: "d" }), "projects/p/zones/z/disks/d");
});
