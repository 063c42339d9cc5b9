import assert from "node:assert/strict";
import { test } from "node:test";
import { copyTags, snapshotTags, tagSpecifications, volumeTags } from "./ebs-tags.ts";

test("a snapshot gets the server's tags before the volume's, and none of AWS's own", () => {
  const { tags } = snapshotTags(
    { "velero.io/backup": "b", team: "server" },
    { "flotilla.io/throughput": "250" },
    { team: "volume", owner: "x", "aws:cloudformation:stack-name": "s", "AWS:other": "s" },
  );

  assert.deepEqual(tags, {
    owner: "x",
    "velero.io/backup": "b",
    team: "server",
    "flotilla.io/throughput": "250",
  });
});

test("a volume with the most tags leaves room for the server's", () => {
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`tag-${index}`, ""]));

  const { tags, dropped } = snapshotTags({ "velero.io/backup": "b", "velero.io/pv": "p" }, {}, many);

  assert.equal(Object.keys(tags).length, 50);
  assert.equal(dropped.length, 2);
  assert.equal(tags["velero.io/pv"], "p");
});

test("a snapshot of a volume that bears the mark of a copy is not marked as that copy", () => {
  const volume = { team: "x", "flotilla.io/copy-of": "snap-1", "flotilla.io/copy-from": "eu-west-1" };

  assert.deepEqual(snapshotTags({}, { "flotilla.io/request": "r" }, volume).tags, {
    team: "x",
    "flotilla.io/request": "r",
  });
});

test("a copy of a snapshot with the most tags keeps the server's and ours", () => {
  const kept = { "flotilla.io/throughput": "250", "velero.io/backup": "b", "velero.io/pv": "p" };
  const many = Object.fromEntries(Array.from({ length: 47 }, (_, index) => [`tag-${index}`, ""]));
  const origin = { snapshotId: "snap-1", region: "eu-west-1", tags: { ...many, ...kept } };

  const { tags, dropped } = copyTags(origin, "r");

  assert.equal(Object.keys(tags).length, 50);
  const marks = { "flotilla.io/copy-of": "snap-1", "flotilla.io/copy-from": "eu-west-1", "flotilla.io/request": "r" };
  assert.deepEqual({ ...tags, ...kept, ...marks }, tags);
  assert.ok(dropped.length === 3 && dropped.every((name) => name.startsWith("tag-")));
});

test("a restored volume gets the snapshot's tags without our marks", () => {
  const snapshot = { team: "x", "flotilla.io/throughput": "250", "kubernetes.io/cluster/a": "owned" };

  assert.deepEqual(volumeTags(snapshot, undefined), { team: "x", "kubernetes.io/cluster/a": "owned" });
});

for (const name of ["b", ""])
  test(`AWS_CLUSTER_NAME "${name}" replaces the ownership of another cluster`, () => {
    const snapshot = { team: "x", "kubernetes.io/cluster/a": "owned", KubernetesCluster: "a" };

    assert.deepEqual(volumeTags(snapshot, name), {
      team: "x",
      [`kubernetes.io/cluster/${name}`]: "owned",
      KubernetesCluster: name,
    });
  });

test("nothing to tag is not sent", () => {
  assert.deepEqual(tagSpecifications("volume", {}), {});
});
