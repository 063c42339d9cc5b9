import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, parseJson, printJson } from "@flotilla/sdk/plugin";
import type { JsonObject, PersistentVolume } from "@flotilla/sdk/plugin";
import * as fc from "fast-check";
import { defaultPathRules, parsePathRules } from "./volume-path-rules.ts";
import { folderOf, withFolder } from "./volume-persistent-volume.ts";

function nfs(path: string, server = "10.0.0.1"): PersistentVolume {
  return { kind: "PersistentVolume", spec: { nfs: { server, path, readOnly: false } } };
}

function onNode(source: "hostPath" | "local", path: string): PersistentVolume {
  return { spec: { [source]: { path, other: "kept" } } };
}

function csi(driver: string, volumeHandle: string, volumeAttributes: JsonObject = {}): PersistentVolume {
  return { spec: { csi: { driver, volumeHandle, volumeAttributes } } };
}

const table = parsePathRules(`
  nfs:10.0.0.1:/export=nfs  nfs:10.0.0.1:/export/fast=fast  nfs:[fd00::1]:/=six
  hostPath:/data=host, local:/mnt/disks=disks/local
  csi:nfs.csi.k8s.io=nfs/{attributes.subdir}  csi:nfs.csi.k8s.io=whole/{attributes.share}
  csi:hostpath.csi.k8s.io=csi-data/{volumeHandle}/mount
`);

const folders: readonly (readonly [title: string, volume: PersistentVolume, folder: string | undefined])[] = [
  ["an export", nfs("/export/pvc-1"), "nfs/pvc-1"],
  ["an export with odd slashes", nfs("//export/./a//pvc-1/"), "nfs/a/pvc-1"],
  ["the longest of two exports", nfs("/export/fast/pvc-1"), "fast/pvc-1"],
  ["a path that only begins like an export", nfs("/exports/pvc-1"), undefined],
  ["another server", nfs("/export/pvc-1", "10.0.0.2"), undefined],
  ["a server with an IPv6 address", nfs("/pvc-1", "fd00::1"), "six/pvc-1"],
  ["a path of the node", onNode("hostPath", "/data/x"), "host/x"],
  ["another path of the node", onNode("hostPath", "/etc"), undefined],
  ["a local disk", onNode("local", "/mnt/disks/ssd-1"), "disks/local/ssd-1"],
  ["a CSI driver by an attribute", csi("nfs.csi.k8s.io", "s#e#pvc-1#", { subdir: "pvc-1" }), "nfs/pvc-1"],
  ["a CSI driver by its second rule", csi("nfs.csi.k8s.io", "h", { share: "/export" }), "whole/export"],
  ["a CSI driver by its handle", csi("hostpath.csi.k8s.io", "4f2a"), "csi-data/4f2a/mount"],
  ["another CSI driver", csi("ebs.csi.aws.com", "vol-1"), undefined],
  ["an in-tree disk", { spec: { awsElasticBlockStore: { volumeID: "vol-1" } } }, undefined],
  ["nothing", {}, undefined],
];

for (const [title, volume, folder] of folders)
  test(`the table leads from a volume of ${title} to ${folder ?? "nothing"}`, () => {
    assert.equal(folderOf(volume, table), folder);
  });

test("without a table each NFS server is a folder of the root, and the node's paths are the root's", () => {
  assert.equal(folderOf(nfs("/export/pvc-1"), defaultPathRules), "10.0.0.1/export/pvc-1");
  assert.equal(folderOf(onNode("hostPath", "/data/x"), defaultPathRules), "data/x");
  assert.equal(folderOf(onNode("local", "/mnt/d1"), defaultPathRules), "mnt/d1");
});

const refused: readonly (readonly [title: string, volume: PersistentVolume, words: RegExp])[] = [
  ["a path with ..", nfs("/export/../etc"), /"\.\."/],
  ["an attribute with ..", csi("nfs.csi.k8s.io", "h", { subdir: "../../etc" }), /"\.\."/],
  ["a handle with ..", csi("hostpath.csi.k8s.io", ".."), /"\.\."/],
  ["a control character", nfs("/export/a\nb"), /control character/],
  ["a driver without its attributes", csi("nfs.csi.k8s.io", "h"), /attributes\.subdir/],
];

for (const [title, volume, words] of refused)
  test(`${title} is refused`, () => {
    assert.throws(
      () => folderOf(volume, table),
      (error) => isKind(error, "invalid-argument") && words.test(error.message),
    );
  });

test("a volume that is the root itself is refused", () => {
  assert.throws(
    () => folderOf(onNode("hostPath", "/"), defaultPathRules),
    (error) => isKind(error, "invalid-argument") && /root itself/.test(error.message),
  );
});

const rewritten: readonly (readonly [title: string, volume: PersistentVolume, folder: string, spec: JsonObject])[] = [
  ["nfs", nfs("/export/pvc-1"), "nfs/new", { nfs: { server: "10.0.0.1", path: "/export/new", readOnly: false } }],
  [
    "nfs on a server that is gone",
    nfs("/old", "192.168.0.9"),
    "fast/new",
    { nfs: { server: "10.0.0.1", path: "/export/fast/new", readOnly: false } },
  ],
  ["hostPath", onNode("hostPath", "/data/x"), "host/y", { hostPath: { path: "/data/y", other: "kept" } }],
  ["local", onNode("local", "/mnt/disks/a"), "disks/local/b", { local: { path: "/mnt/disks/b", other: "kept" } }],
  [
    "a CSI driver by an attribute, which its handle repeats",
    csi("nfs.csi.k8s.io", "a#a#a##", { subdir: "a", share: "/s" }),
    "nfs/b",
    { csi: { driver: "nfs.csi.k8s.io", volumeHandle: "a#a#b##", volumeAttributes: { subdir: "b", share: "/s" } } },
  ],
  [
    "a CSI driver by its handle",
    csi("hostpath.csi.k8s.io", "4f2a"),
    "csi-data/9b1c/mount",
    { csi: { driver: "hostpath.csi.k8s.io", volumeHandle: "9b1c", volumeAttributes: {} } },
  ],
];

for (const [title, volume, folder, spec] of rewritten)
  test(`a restored folder takes the place of the old one: ${title}`, () => {
    const changed = withFolder(volume, folder, table);

    assert.deepEqual(changed["spec"], spec);
    assert.equal(folderOf(changed, table), folder);
  });

test("a folder that no rule leads to names the keys that help", () => {
  assert.throws(
    () => withFolder(onNode("hostPath", "/data/x"), "nfs/y", table),
    (error) => isKind(error, "invalid-config") && /volumePaths.*restoreFolder/.test(error.message),
  );
});

test("what the rules do not know stays as it was, large numbers too", () => {
  const text =
    '{"kind":"PersistentVolume","spec":{"nfs":{"path":"/export/a","server":"10.0.0.1"},"n":9007199254740993}}';

  const changed = withFolder(parsed(text), "nfs/b", table);

  assert.equal(printJson(changed), text.replace("/export/a", "/export/b"));
});

test("no path of a volume leads out of the root, whatever it holds", () => {
  const piece = fc.oneof(fc.constantFrom("..", ".", "", "/", "export", "\0", "{server}"), fc.string({ maxLength: 4 }));
  const paths = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join("/")}`);
  fc.assert(
    fc.property(paths, paths, (path, server) => {
      for (const volume of [nfs(path, server), onNode("hostPath", path), csi("hostpath.csi.k8s.io", path)])
        for (const rules of [table, defaultPathRules]) assert.ok(staysBelow(volume, rules));
    }),
    { numRuns: 1000 },
  );
});

function staysBelow(volume: PersistentVolume, rules: typeof table): boolean {
  try {
    const names = folderOf(volume, rules)?.split("/") ?? ["none"];
    return names.every((name) => name !== "" && name !== "." && name !== ".." && !name.includes("\0"));
  } catch (error) {
    return isKind(error, "invalid-argument");
  }
}

function parsed(text: string): PersistentVolume {
  const value = parseJson(text);
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value));
  // Neither an array nor a number: what is left of JSON's structures is an object.
  return value as PersistentVolume;
}
