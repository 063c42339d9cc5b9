import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { veleroSupport } from "./velero-versions.ts";
import type { VeleroSupport } from "./velero-versions.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "..", "docs", "support.md"), "utf8");

type State = VeleroSupport["state"];

/** The rows of the page's table of Velero's versions: the minor versions of major 1, with what is said of them. */
function rows(): readonly { readonly versions: string; readonly said: string }[] {
  const [, section = ""] = page.split("## Versions of Velero");
  const [table = ""] = section.split("\n## ");
  return [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)]
    .map(([, versions = "", said = ""]) => ({ versions, said }))
    .filter(({ versions }) => /\d/.test(versions));
}

/** `1.18`, `1.17, 1.16`, `1.12 to 1.15` or `before 1.12`. */
function minorsOf(versions: string): readonly number[] {
  const named = [...versions.matchAll(/\b1\.(\d+)\b/g)].map(([, minor]) => Number(minor));
  const [first = 0, last = first] = named;
  if (versions.startsWith("before")) return Array.from({ length: first }, (_, minor) => minor);
  if (versions.includes(" to ")) return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return named;
}

function stateOf(said: string): State {
  if (said.startsWith("supported")) return "tested";
  return said.startsWith("expected to work") ? "expected" : "unsupported";
}

test("what check says of each version of Velero is what the page on support says", () => {
  const onPage = new Map(
    rows().flatMap(({ versions, said }) => minorsOf(versions).map((minor) => [minor, stateOf(said)])),
  );
  const newest = Math.max(...onPage.keys());

  const minors = Array.from({ length: newest + 2 }, (_, minor) => minor);
  const byCheck = minors.map((minor) => `1.${minor} ${veleroSupport(`v1.${minor}.0`)?.state}`);

  assert.deepEqual(
    byCheck,
    minors.map((minor) => `1.${minor} ${onPage.get(minor) ?? "newer"}`),
  );
  // Of a page whose table was not read, nothing would be compared.
  assert.ok([...onPage.values()].includes("tested") && onPage.size > 12);
});

test("the remedy of a version that is too old names the oldest one that is tested", () => {
  const tested = rows()
    .filter(({ said }) => stateOf(said) === "tested")
    .flatMap(({ versions }) => minorsOf(versions));

  assert.match(veleroSupport("v1.9.0")?.remedy ?? "", new RegExp(`1\\.${Math.min(...tested)} or newer`));
});
