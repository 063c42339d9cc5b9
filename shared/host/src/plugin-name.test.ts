import assert from "node:assert/strict";
import { test } from "node:test";

import { expandPluginName, isPluginKind, validatePluginName } from "./plugin-name.ts";

for (const name of [
  "aws",
  "/aws",
  "velero.io/",
  "a/b/c",
  "Velero.io/aws",
  "-a.io/x",
  "a..io/x",
  `${"a".repeat(254)}/x`,
]) {
  test(`the name ${JSON.stringify(name.slice(0, 20))} is refused`, () => {
    assert.throws(() => validatePluginName(name), { name: "PluginError", kind: "invalid-argument" });
  });
}

for (const name of ["velero.io/aws", "example.com/My Plugin", "a/b", "a-1.b.c/x"]) {
  test(`the name ${JSON.stringify(name)} is accepted`, () => {
    assert.doesNotThrow(() => validatePluginName(name));
  });
}

test("a bare provider name means the server's own domain", () => {
  assert.equal(expandPluginName("aws"), "velero.io/aws");
  assert.equal(expandPluginName("example.com/aws"), "example.com/aws");
});

test("the lister's own kind is not one that can be listed", () => {
  assert.equal(isPluginKind("PluginLister"), false);
  assert.equal(isPluginKind("ObjectStore"), true);
});
