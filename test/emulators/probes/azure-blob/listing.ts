import assert from "node:assert/strict";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import { collect, md5Of, readAll } from "./context.ts";
import type { BlobContext } from "./context.ts";

const oddNames = ["a b", "a+b", "a%20b", "ümläut", "日本", "emoji-\u{1f600}", "q?&=#", "quote'\"<>", "tilde~!*()"];

async function fill(store: BlobContext, names: readonly string[]): ReturnType<BlobContext["newContainer"]> {
  const container = await store.newContainer();
  await Promise.all(names.map((name) => container.getBlockBlobClient(name).upload("x", 1)));
  return container;
}

async function namesOf(items: AsyncIterable<{ readonly name: string }>): Promise<string[]> {
  return (await collect(items)).map(({ name }) => name);
}

/** Containers and what is in them. */
export const listingProbes: readonly Probe<BlobContext>[] = [
  {
    name: "blobs are listed in the order of their names",
    run: async (store) => {
      const container = await fill(store, ["b", "a/2", "a", "a/1", "a-"]);

      assert.deepEqual(await namesOf(container.listBlobsFlat()), ["a", "a-", "a/1", "a/2", "b"]);
    },
  },
  {
    name: "a prefix limits a listing",
    run: async (store) => {
      const container = await fill(store, ["a/1", "a/2", "b/1"]);

      assert.deepEqual(await namesOf(container.listBlobsFlat({ prefix: "a/" })), ["a/1", "a/2"]);
    },
  },
  {
    name: "a delimiter groups names",
    run: async (store) => {
      const container = await fill(store, ["a/1", "a/b/2", "c", "d/3"]);

      const top = await collect(container.listBlobsByHierarchy("/"));
      const below = await namesOf(container.listBlobsByHierarchy("/", { prefix: "a/" }));

      assert.deepEqual(
        top.map(({ kind, name }) => [kind, name]),
        [
          ["prefix", "a/"],
          ["blob", "c"],
          ["prefix", "d/"],
        ].sort(([kindA = "", a = ""], [kindB = "", b = ""]) => kindB.localeCompare(kindA) || a.localeCompare(b)),
      );
      assert.deepEqual(below.sort(), ["a/1", "a/b/"]);
    },
  },
  {
    name: "a delimiter of several characters groups names",
    run: async (store) => {
      const container = await fill(store, ["a--1", "a-2", "b--1"]);

      const items = await collect(container.listBlobsByHierarchy("--"));

      assert.deepEqual(items.map(({ kind, name }) => `${kind} ${name}`).sort(), [
        "blob a-2",
        "prefix a--",
        "prefix b--",
      ]);
    },
  },
  {
    name: "many blobs come in pages without a gap or a double",
    run: async (store) => {
      const names = Array.from({ length: 23 }, (_, i) => `n${String(i).padStart(2, "0")}`);
      const container = await fill(store, names);

      const pages = await collect(container.listBlobsFlat().byPage({ maxPageSize: 5 }));

      assert.deepEqual(
        pages.map(({ segment }) => segment.blobItems.length),
        [5, 5, 5, 5, 3],
      );
      assert.deepEqual(
        pages.flatMap(({ segment }) => segment.blobItems.map(({ name }) => name)),
        names,
      );
    },
  },
  {
    name: "groups come in pages without a gap or a double",
    run: async (store) => {
      const names = Array.from({ length: 9 }, (_, i) => [`g${i}/1`, `g${i}/2`]).flat();
      const container = await fill(store, names);

      const pages = await collect(container.listBlobsByHierarchy("/").byPage({ maxPageSize: 2 }));

      const groups = pages.flatMap(({ segment }) => (segment.blobPrefixes ?? []).map(({ name }) => name));
      assert.deepEqual(
        groups,
        Array.from({ length: 9 }, (_, i) => `g${i}/`),
      );
    },
  },
  {
    name: "an entry tells size, MD5, type, tier and ETag",
    run: async (store) => {
      const container = await store.newContainer();
      const blob = container.getBlockBlobClient("x");
      const { etag } = await blob.upload("bytes", 5, { blobHTTPHeaders: { blobContentType: "text/plain" } });

      const [entry] = await collect(container.listBlobsFlat());

      const found = entry?.properties;
      assert.deepEqual([found?.contentLength, found?.contentType, found?.accessTier], [5, "text/plain", "Hot"]);
      assert.deepEqual(Buffer.from(found?.contentMD5 ?? []), md5Of("bytes"));
      assert.equal(found?.etag.replaceAll('"', ""), etag?.replaceAll('"', ""));
    },
  },
  {
    name: "metadata and tags are listed when asked for",
    run: async (store) => {
      const container = await store.newContainer();
      await container.getBlockBlobClient("x").upload("x", 1, { metadata: { a: "1" }, tags: { b: "2" } });

      const [bare] = await collect(container.listBlobsFlat());
      const [full] = await collect(container.listBlobsFlat({ includeMetadata: true, includeTags: true }));

      assert.deepEqual([bare?.metadata, bare?.tags], [undefined, undefined]);
      assert.deepEqual([full?.metadata, full?.tags], [{ a: "1" }, { b: "2" }]);
    },
  },
  {
    name: "odd names are stored, listed and read",
    run: async (store) => {
      const container = await fill(store, oddNames);

      assert.deepEqual((await namesOf(container.listBlobsFlat())).sort(), oddNames.toSorted());
      for (const name of oddNames) assert.equal(await readAll(container.getBlockBlobClient(name)), "x");
    },
  },
  {
    name: "a backslash in a name becomes a slash",
    run: async (store) => {
      const container = await fill(store, ["a\\b"]);

      assert.deepEqual(await namesOf(container.listBlobsFlat()), ["a/b"]);
    },
  },
  {
    name: "a name of 1024 characters is stored and a longer one refused",
    run: async (store) => {
      const container = await store.container();
      const segments = Array.from({ length: 8 }, () => "n".repeat(127));
      const longest = container.getBlockBlobClient(`${segments.join("/")}n`);

      await longest.upload("x", 1);

      assert.equal(longest.name.length, 1024);
      assert.equal(await readAll(longest), "x");
      const longer = container.getBlockBlobClient(`${longest.name}n`).upload("x", 1);
      await expectFailure(longer, ["OutOfRangeInput", "InvalidUri", "InvalidResourceName"], 400);
    },
  },
  {
    name: "a page of no entries is refused",
    run: async (store) => {
      const sas = await store.containerSas(await store.container(), "l");

      const response = await fetch(`${sas}&restype=container&comp=list&maxresults=0`);

      assert.equal(response.status, 400);
    },
  },
  {
    name: "a container is created once, described and deleted",
    run: async (store) => {
      const container = await store.newContainer();

      await expectFailure(container.create(), "ContainerAlreadyExists", 409);
      assert.equal(typeof (await container.getProperties()).etag, "string");
      await container.delete();

      assert.equal(await container.exists(), false);
      await expectFailure(container.delete(), "ContainerNotFound", 404);
    },
  },
  {
    name: "a bad container name is refused",
    run: async (store) => {
      const create = (name: string): Promise<unknown> => store.service.getContainerClient(name).create();

      await expectFailure(create("UPPER_case"), ["InvalidResourceName", "OutOfRangeInput"], 400);
      await expectFailure(create("ab"), ["OutOfRangeInput", "InvalidResourceName"], 400);
      await expectFailure(create("two--hyphens"), "InvalidResourceName", 400);
    },
  },
  {
    name: "containers are listed with their metadata",
    run: async (store) => {
      const prefix = `listed-${store.name().slice(-12)}`;
      for (const name of ["b", "a"]) {
        await store.service.getContainerClient(`${prefix}-${name}`).create({ metadata: { team: name } });
      }

      const found = await collect(store.service.listContainers({ prefix, includeMetadata: true }));

      assert.deepEqual(
        found.map(({ name, metadata }) => [name, metadata]),
        [
          [`${prefix}-a`, { team: "a" }],
          [`${prefix}-b`, { team: "b" }],
        ],
      );
    },
  },
];
