import assert from "node:assert/strict";

import type { Probe } from "../probe.ts";
import { jsonOf } from "./context.ts";
import type { GcsContext } from "./context.ts";

async function filled(context: GcsContext, names: readonly string[]): Promise<string> {
  const bucket = await context.bucket();
  await Promise.all(names.map((name) => context.put("x", bucket, name)));
  return bucket.name;
}

async function list(context: GcsContext, bucket: string, query: string): Promise<Readonly<Record<string, unknown>>> {
  return jsonOf(await context.send("GET", `/storage/v1/b/${bucket}/o?${query}`));
}

function namesOf(page: Readonly<Record<string, unknown>>): readonly string[] {
  // What the service wrote.
  const items = (page["items"] ?? []) as readonly { readonly name: string }[];
  return items.map(({ name }) => name);
}

/** Follows the pages of a list and returns the prefixes and names of each. */
async function listPages(context: GcsContext, bucket: string, query: string): Promise<readonly (readonly unknown[])[]> {
  const pages: (readonly unknown[])[] = [];
  let token: unknown = "";
  // A list that never ends must not hang.
  while (typeof token === "string" && pages.length < 20) {
    const page = await list(context, bucket, `${query}&pageToken=${encodeURIComponent(token)}`);
    // What the service wrote.
    pages.push([...((page["prefixes"] ?? []) as readonly unknown[]), ...namesOf(page)]);
    token = page["nextPageToken"];
  }
  return pages;
}

/** Lists of objects. */
export const listingProbes: readonly Probe<GcsContext>[] = [
  {
    name: "a list has pages, and no object is in two of them",
    run: async (context) => {
      const names = Array.from({ length: 25 }, (_, i) => `key-${String(i).padStart(2, "0")}`);
      const bucket = await filled(context, names);

      assert.deepEqual(await listPages(context, bucket, "maxResults=10"), [
        names.slice(0, 10),
        names.slice(10, 20),
        names.slice(20),
      ]);
    },
  },
  {
    name: "a delimiter makes prefixes of what is below",
    run: async (context) => {
      const bucket = await filled(context, ["a/1", "a/2", "a/b/1", "b/1", "c"]);

      const top = await list(context, bucket, "delimiter=/");
      const below = await list(context, bucket, "delimiter=/&prefix=a/");

      assert.deepEqual([top["prefixes"], namesOf(top)], [["a/", "b/"], ["c"]]);
      assert.deepEqual([below["prefixes"], namesOf(below)], [["a/b/"], ["a/1", "a/2"]]);
    },
  },
  {
    name: "prefixes count in pages and come once",
    run: async (context) => {
      const bucket = await filled(context, ["a/1", "a/2", "b/1", "b/2", "c", "d/1"]);

      const pages = await listPages(context, bucket, "delimiter=/&maxResults=1");

      assert.deepEqual(pages, [["a/"], ["b/"], ["c"], ["d/"]]);
    },
  },
  {
    name: "odd names are stored, listed in byte order and read",
    run: async (context) => {
      const names = ["a b+c&d=e", "a%2Fb", "a//b", "a?b#c", "z\u00e4", "z\u{1f600}", "z\uffee"];
      const bucket = context.storage.bucket(await filled(context, names));

      const [files] = await bucket.getFiles();

      const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(
        files.map(({ name }) => name),
        sorted,
      );
      for (const name of names) assert.equal((await bucket.file(name).download())[0].toString("utf8"), "x");
    },
  },
  {
    name: "startOffset and endOffset bound a list",
    run: async (context) => {
      const bucket = await filled(context, ["a", "b", "c", "d"]);

      assert.deepEqual(namesOf(await list(context, bucket, "startOffset=b&endOffset=d")), ["b", "c"]);
    },
  },
  {
    name: "fields leaves only what is asked for",
    run: async (context) => {
      const bucket = await filled(context, ["a"]);

      const page = await list(context, bucket, "fields=items(name,size),nextPageToken");

      assert.deepEqual(page, { items: [{ name: "a", size: "1" }] });
    },
  },
  {
    name: "maxResults of zero is refused",
    run: async (context) => {
      const { name } = await context.shared();

      assert.equal((await context.send("GET", `/storage/v1/b/${name}/o?maxResults=-1`)).status, 400);
    },
  },
  {
    name: "an empty list has no items",
    run: async (context) => {
      const { name } = await context.bucket();

      assert.deepEqual(await list(context, name, "prefix=x"), { kind: "storage#objects" });
    },
  },
];
