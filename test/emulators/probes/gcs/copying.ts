import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import type { Probe } from "../probe.ts";
import { hashesOf, jsonOf, reasonOf } from "./context.ts";
import type { GcsContext } from "./context.ts";

const mib = 1024 ** 2;

/** Copies and compositions on the server. */
export const copyingProbes: readonly Probe<GcsContext>[] = [
  {
    name: "an object is copied into another bucket with its metadata",
    run: async (context) => {
      const target = await context.bucket();
      const file = (await context.shared()).file(context.name());
      await file.save("content", { resumable: false, metadata: { contentType: "a/b", metadata: { k: "v" } } });

      await file.copy(target.file("copy"));

      const [metadata] = await target.file("copy").getMetadata();
      assert.equal(metadata.contentType, "a/b");
      assert.deepEqual(metadata.metadata, { k: "v" });
      assert.equal(metadata.crc32c, hashesOf(Buffer.from("content")).crc32c);
    },
  },
  {
    name: "a rewrite into another location goes on with its token",
    run: async (context) => {
      const bytes = randomBytes(2 * mib + 5);
      const target = await context.bucket({ location: "EUROPE-WEST1" });
      const file = await context.put(bytes);
      const { name } = await context.shared();
      const path = `/storage/v1/b/${name}/o/${file.name}/rewriteTo/b/${target.name}/o/copy?maxBytesRewrittenPerCall=${mib}`;

      const first = jsonOf(await context.send("POST", path));
      const second = jsonOf(await context.send("POST", `${path}&rewriteToken=${String(first["rewriteToken"])}`));
      const before = await reasonOf(target.file("copy").getMetadata());
      const third = jsonOf(await context.send("POST", `${path}&rewriteToken=${String(second["rewriteToken"])}`));

      assert.deepEqual([first["done"], first["totalBytesRewritten"]], [false, String(mib)]);
      assert.deepEqual([second["done"], second["totalBytesRewritten"]], [false, String(2 * mib)]);
      assert.equal(before, "404 notFound");
      assert.equal(third["done"], true);
      assert.deepEqual((await target.file("copy").download())[0], bytes);
    },
  },
  {
    name: "a rewrite token of another rewrite is refused",
    run: async (context) => {
      const target = await context.bucket({ location: "EUROPE-WEST1" });
      const file = await context.put(randomBytes(2 * mib));
      const { name } = await context.shared();
      const path = (to: string): string =>
        `/storage/v1/b/${name}/o/${file.name}/rewriteTo/b/${target.name}/o/${to}?maxBytesRewrittenPerCall=${mib}`;
      const first = jsonOf(await context.send("POST", path("one")));

      const answer = await context.send("POST", `${path("two")}&rewriteToken=${String(first["rewriteToken"])}`);

      assert.equal(answer.status, 400);
    },
  },
  {
    name: "a rewrite changes the storage class",
    run: async (context) => {
      const file = await context.put("x");

      await file.setStorageClass("nearline");

      assert.equal((await file.getMetadata())[0].storageClass, "NEARLINE");
    },
  },
  {
    name: "a copy depends on the generation of its source and of its destination",
    run: async (context) => {
      const file = await context.put("x");
      const { name } = await context.shared();
      const path = `/storage/v1/b/${name}/o/${file.name}/rewriteTo/b/${name}/o/${context.name()}`;

      assert.equal((await context.send("POST", `${path}?ifSourceGenerationMatch=1`)).status, 412);
      assert.equal((await context.send("POST", `${path}?ifGenerationMatch=1`)).status, 412);
      assert.equal((await context.send("POST", `${path}?ifGenerationMatch=0`)).status, 200);
    },
  },
  {
    name: "objects are composed in their order, without an MD5",
    run: async (context) => {
      const bucket = await context.shared();
      const [one, two] = await Promise.all([context.put("one"), context.put("two")]);
      const target = bucket.file(context.name());

      await bucket.combine([one, two], target);

      const [metadata] = await target.getMetadata();
      assert.equal((await target.download())[0].toString("utf8"), "onetwo");
      assert.equal(metadata.crc32c, hashesOf(Buffer.from("onetwo")).crc32c);
      assert.equal(metadata.md5Hash, undefined);
      assert.equal(metadata.componentCount, 2);
    },
  },
  {
    name: "33 objects are too many to compose",
    run: async (context) => {
      const file = await context.put("x");
      const { name } = await context.shared();
      const body = JSON.stringify({ sourceObjects: Array.from({ length: 33 }, () => ({ name: file.name })) });

      const headers = { "content-type": "application/json" };
      const answer = await context.send("POST", `/storage/v1/b/${name}/o/all/compose`, { headers, body });

      assert.equal(answer.status, 400);
    },
  },
];
