import { expect, expectEqual } from "../../expect.ts";
import type { RuleId } from "../../rules/index.ts";
import type { ConformanceTest } from "../../test.ts";
import { fill, putMarker } from "./fill.ts";

interface Listing {
  readonly name: string;
  readonly title: string;
  readonly names: readonly string[];
  readonly prefix: string;
  readonly delimiter?: string;
  readonly answer: readonly string[];
  readonly rule?: RuleId;
}

const listings: readonly Listing[] = [
  {
    name: "top",
    title: "common prefixes are whole, each once, and end with the delimiter",
    names: ["backups/a/x", "backups/a/y", "backups/b/x", "restores/r/x", "backups-not/x"],
    prefix: "",
    answer: ["backups-not/", "backups/", "restores/"],
  },
  {
    name: "below",
    title: "common prefixes below a prefix carry that prefix",
    names: ["backups/a/x", "backups/a/deep/y", "backups/b/x", "restores/r/x"],
    prefix: "backups/",
    answer: ["backups/a/", "backups/b/"],
  },
  {
    name: "no-keys",
    title: "keys without the delimiter are no common prefixes",
    names: ["backups/a/x", "backups/loose"],
    prefix: "backups/",
    answer: ["backups/a/"],
  },
  {
    name: "only-keys",
    title: "where only keys lie there are no common prefixes",
    names: ["backups/a/velero-backup.json", "backups/a/a.tar.gz"],
    prefix: "backups/a/",
    answer: [],
  },
  {
    name: "prefix-in-a-name",
    title: "a prefix that ends in the middle of a name is completed up to the delimiter",
    names: ["backups/a/x", "bakery/x", "restores/r/x"],
    prefix: "ba",
    answer: ["backups/", "bakery/"],
  },
  {
    name: "without-its-slash",
    title: "a prefix without its slash is completed by one",
    names: ["backups/a/x", "backups/b/x"],
    prefix: "backups",
    answer: ["backups/"],
  },
  {
    name: "nothing",
    title: "below nothing there are no common prefixes",
    names: ["x"],
    prefix: "nothing/",
    answer: [],
  },
  {
    name: "another-delimiter",
    title: "another delimiter than the slash cuts at that one",
    names: ["a-1", "a-2/x", "b/c-1", "d"],
    prefix: "",
    delimiter: "-",
    answer: ["a-", "b/c-"],
    rule: "delimiter-is-any",
  },
  {
    name: "longer-delimiter",
    title: "a delimiter of several characters is taken whole",
    names: ["a-1", "a--1", "b--2--3"],
    prefix: "",
    delimiter: "--",
    answer: ["a--", "b--"],
    rule: "delimiter-is-any",
  },
];

const listingTests = listings.map(({ name, title, names, prefix, delimiter, answer, rule }): ConformanceTest => ({
  id: `object-store/list-prefixes/${name}`,
  title,
  rule: rule ?? "prefixes-are-whole",
  kind: "ObjectStore",
  run: async (t) => {
    const store = await t.openObjectStore();
    await fill(t, store, names);

    const prefixes = await store.listCommonPrefixes(t.key(prefix), delimiter);

    expectEqual([...prefixes].sort(), answer.map((each) => t.key(each)).sort(), "the common prefixes");
  },
}));

/** What ListCommonPrefixes answers. */
export const listPrefixesTests: readonly ConformanceTest[] = [
  ...listingTests,
  {
    id: "object-store/list-prefixes/folder-marker",
    title: "a folder marker makes a common prefix above it and none below it",
    rule: "prefixes-are-whole",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await putMarker(store, t.key("backups/b/"));

      expectEqual(await store.listCommonPrefixes(t.key("backups/")), [t.key("backups/b/")], "above the marker");
      expectEqual(await store.listCommonPrefixes(t.key("backups/b/")), [], "below the marker");
    },
  },
  {
    id: "object-store/list-prefixes/top-of-the-location",
    title: "the top of a location is listed as the server does to validate it",
    rule: "prefixes-are-whole",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      await fill(t, store, ["velero-backup.json"]);
      const root = rootOf(t.objectTarget.config["prefix"] ?? "");

      const prefixes = await store.listCommonPrefixes(root);

      expect(prefixes.includes(`${root}backups/`), `${root}backups/ is not among ${prefixes.join(", ")}`);
      expectEqual(new Set(prefixes).size, prefixes.length, "the number of different prefixes");
      const strange = prefixes.filter((each) => !isDirectlyBelow(root, each));
      expectEqual(strange, [], "what is no prefix directly below the top");
    },
  },
  {
    id: "object-store/list-prefixes/new-location",
    title: "a new location is empty, and then has the directories that the server made",
    rule: "prefixes-are-whole",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore({ config: { prefix: t.key("location") } });
      expectEqual(await store.listCommonPrefixes(t.key("location/")), [], "the new location");

      await fill(t, store, ["location/backups/b/velero-backup.json", "location/restores/r/r.tar.gz"]);

      const prefixes = await store.listCommonPrefixes(t.key("location/"));
      expectEqual([...prefixes].sort(), [t.key("location/backups/"), t.key("location/restores/")], "its directories");
    },
  },
];

function rootOf(prefix: string): string {
  const trimmed = prefix.replaceAll(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `${trimmed}/`;
}

function isDirectlyBelow(root: string, prefix: string): boolean {
  return prefix.startsWith(root) && prefix.slice(root.length).indexOf("/") === prefix.length - root.length - 1;
}
