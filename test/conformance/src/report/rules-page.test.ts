import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { rules } from "../rules/index.ts";
import { suite } from "../suite.ts";
import { rulesPage } from "./rules-page.ts";

test("docs/protocol.md says what the rules say", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/protocol.md"), "utf8");

  assert.equal(page, rulesPage(), "run npm run generate");
});

test("every rule is held by a test", () => {
  const held = new Set<string>(suite.map(({ rule }) => rule));

  assert.deepEqual(
    Object.keys(rules).filter((id) => !held.has(id)),
    [],
  );
});

test("no two tests have the same id", () => {
  const ids = suite.map(({ id }) => id);

  assert.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  );
});

test("an id is made of a subject, a topic and a behaviour", () => {
  assert.deepEqual(
    suite.map(({ id }) => id).filter((id) => !/^[a-z-]+\/[a-z-]+\/[\w-]+$/.test(id)),
    [],
  );
});
