import assert from "node:assert/strict";
import { test } from "node:test";

import { Registry } from "./registry.ts";

test("a kind and name that is registered already is refused with both commands", () => {
  const registry = new Registry();
  registry.register({ command: "/plugins/one", kind: "ObjectStore", name: "velero.io/aws" });

  assert.throws(() => registry.register({ command: "/plugins/two", kind: "ObjectStore", name: "velero.io/aws" }), {
    kind: "conflict",
    message:
      /command=\/plugins\/two\) because another plugin is already registered for this kind and name \(command=\/plugins\/one\)/,
  });
});

test("an unknown kind and a malformed name are refused", () => {
  const registry = new Registry();

  assert.throws(
    () => registry.register({ command: "/p", kind: "PluginLister", name: "velero.io/aws" }),
    /invalid plugin kind/,
  );
  assert.throws(() => registry.register({ command: "/p", kind: "ObjectStore", name: "aws" }), /exactly one slash/);
});

test("a provider that nobody registered is refused with what there is", () => {
  const registry = new Registry();
  registry.register({ command: "/p", kind: "ObjectStore", name: "velero.io/aws" });

  assert.throws(
    () => registry.get("ObjectStore", "gcp"),
    /unable to locate ObjectStore plugin named velero.io\/gcp: registered are velero.io\/aws/,
  );
  assert.throws(() => registry.get("VolumeSnapshotter", "aws"), /no VolumeSnapshotter is registered/);
});

test("one name may be registered for several kinds, and a bare name finds it", () => {
  const registry = new Registry();
  registry.register({ command: "/p", kind: "VolumeSnapshotter", name: "velero.io/aws" });
  registry.register({ command: "/p", kind: "ObjectStore", name: "velero.io/aws" });

  assert.equal(registry.get("ObjectStore", "aws").command, "/p");
  assert.deepEqual(
    registry.list().map((plugin) => plugin.kind),
    ["ObjectStore", "VolumeSnapshotter"],
  );
});
