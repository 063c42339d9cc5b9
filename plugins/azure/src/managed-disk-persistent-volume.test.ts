import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, parseJson, printJson } from "@flotilla/sdk/plugin";
import type { PersistentVolume } from "@flotilla/sdk/plugin";
import { readVolumeId, writeVolumeId } from "./managed-disk-persistent-volume.ts";

const home = { subscription: "0000-aa", resourceGroup: "MC_home" };

function idOf(name: string, resourceGroup = "MC_home", subscription = "0000-aa"): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Compute/disks/${name}`;
}

function csi(volumeHandle: string, driver = "disk.csi.azure.com"): PersistentVolume {
  return { kind: "PersistentVolume", spec: { csi: { driver, volumeHandle, extra: "kept" } } };
}

function inTree(diskName: string, diskURI: string): PersistentVolume {
  return { spec: { azureDisk: { cachingMode: "None", diskName, diskURI, kind: "Managed" } } };
}

const ids: readonly (readonly [name: string, volume: PersistentVolume, id: string])[] = [
  ["the CSI driver in the default place", csi(idOf("pvc-1")), "pvc-1"],
  [
    "the CSI driver in the default place, in other case",
    csi(idOf("pvc-1", "mc_HOME", "0000-AA").toLowerCase()),
    "pvc-1",
  ],
  ["the CSI driver in another resource group", csi(idOf("pvc-1", "data")), idOf("pvc-1", "data")],
  [
    "the CSI driver in another subscription, in other case",
    csi(idOf("pvc-1", "MC_home", "1111-bb").replace("resourceGroups", "resourcegroups")),
    idOf("pvc-1", "MC_home", "1111-bb"),
  ],
  ["the CSI driver with only the end of an id", csi("/microsoft.compute/Disks/pvc-1"), "pvc-1"],
  ["the CSI driver with the id of a snapshot", csi(idOf("pvc-1").replace("/disks/", "/snapshots/")), ""],
  ["the CSI driver with a strange handle", csi("strange"), ""],
  ["the Azure Files driver", csi("rg#account#share", "file.csi.azure.com"), ""],
  ["the in-tree source in the default place", inTree("disk-1", idOf("disk-1")), "disk-1"],
  ["the in-tree source in another resource group", inTree("disk-1", idOf("disk-1", "data")), idOf("disk-1", "data")],
  ["the in-tree source with the URI of another disk", inTree("disk-1", idOf("disk-2", "data")), "disk-1"],
  ["the in-tree source with a blob's URI", inTree("d.vhd", "https://a.blob.core.windows.net/vhds/d.vhd"), "d.vhd"],
  ["no source of Azure", { spec: { hostPath: { path: "/x" } } }, ""],
];

for (const [name, volume, id] of ids)
  test(`a PersistentVolume of ${name} is the volume "${id}"`, () => {
    assert.equal(readVolumeId(volume, home), id);
  });

test("an empty in-tree name is an error", () => {
  assert.throws(
    () => readVolumeId(inTree("", idOf("d")), home),
    (error) => isKind(error, "invalid-argument"),
  );
});

test("a CSI volume gets the new handle, and everything else stays as it was", () => {
  const text =
    `{"kind":"PersistentVolume","spec":{"csi":{"driver":"disk.csi.azure.com","volumeHandle":"${idOf("old")}",` +
    `"volumeAttributes":{"requestedsizegib":"10"},"n":1e400},"nodeAffinity":{"x":[9007199254740993]}}}`;
  const volume = parseJson(text);
  assert.ok(typeof volume === "object" && volume !== null && !Array.isArray(volume));

  // Parsed from an object's text just above.
  const rewritten = writeVolumeId(volume as PersistentVolume, "restore-1", home);

  assert.equal(printJson(rewritten), text.replace("disks/old", "disks/restore-1"));
});

test("an in-tree volume gets the new name and URI", () => {
  assert.deepEqual(
    writeVolumeId(inTree("disk-1", idOf("disk-1", "data")), "restore-1", home),
    inTree("restore-1", idOf("restore-1")),
  );
});

test("a volume elsewhere is written with its own place, in the official plugin's spelling", () => {
  const odd = idOf("disk-9", "Data", "1111-BB").replace("resourceGroups", "RESOURCEGROUPS");

  assert.deepEqual(writeVolumeId(csi(idOf("old")), odd, home), csi(idOf("disk-9", "Data", "1111-BB")));
  assert.deepEqual(writeVolumeId(inTree("old", ""), odd, home), inTree("disk-9", idOf("disk-9", "Data", "1111-BB")));
});

test("a PersistentVolume of another driver is refused", () => {
  for (const volume of [csi("x", "file.csi.azure.com"), { spec: {} }])
    assert.throws(
      () => writeVolumeId(volume, "restore-1", home),
      (error) => isKind(error, "invalid-argument"),
    );
});
