import assert from "node:assert/strict";

import type { Probe } from "../probe.ts";
import { jsonOf, reasonOf } from "./context.ts";
import type { GcsContext } from "./context.ts";

/** Generations and what is made to depend on them. */
export const conditionProbes: readonly Probe<GcsContext>[] = [
  {
    name: "every write is a new generation of metageneration 1",
    run: async (context) => {
      const file = await context.put("one");
      const [first] = await file.getMetadata();

      await context.put("two", undefined, file.name);

      const [second] = await context.storage
        .bucket((await context.shared()).name)
        .file(file.name)
        .getMetadata();
      assert.ok(BigInt(second.generation ?? 0) > BigInt(first.generation ?? 0));
      assert.equal(String(second.metageneration), "1");
    },
  },
  {
    name: "ifGenerationMatch=0 creates and does not overwrite",
    run: async (context) => {
      const file = (await context.shared()).file(context.name());
      const options = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } };
      await file.save("first", options);

      assert.equal(await reasonOf(file.save("second", options)), "412 conditionNotMet");
      assert.equal((await file.download())[0].toString("utf8"), "first");
    },
  },
  {
    name: "ifGenerationMatch overwrites the generation that it names, and no other",
    run: async (context) => {
      const file = await context.put("first");
      const [{ generation }] = await file.getMetadata();
      const options = { resumable: false, preconditionOpts: { ifGenerationMatch: Number(generation) } };
      await file.save("second", options);

      assert.equal(await reasonOf(file.save("third", options)), "412 conditionNotMet");
    },
  },
  {
    name: "a condition of a resumable upload is looked at when the upload ends",
    run: async (context) => {
      const bucket = await context.shared();
      const name = context.name();
      const session = await context.begin(bucket.name, name, { query: "&ifGenerationMatch=0" });
      await context.put("in between", bucket, name);

      const answer = await context.chunk(session, "0-3/4", Buffer.from("late"));

      assert.equal(answer.status, 412);
      assert.equal((await bucket.file(name).download())[0].toString("utf8"), "in between");
    },
  },
  {
    name: "a conditional delete of another generation is refused",
    run: async (context) => {
      const file = await context.put("x");

      assert.equal(await reasonOf(file.delete({ ifGenerationMatch: 1 })), "412 conditionNotMet");
      assert.equal((await file.exists())[0], true);
    },
  },
  {
    name: "a change of metadata is a new metageneration, and can depend on it",
    run: async (context) => {
      const file = await context.put("x");
      await file.setMetadata({ metadata: { a: "1" } });

      const [metadata] = await file.getMetadata();
      const stale = file.setMetadata({ metadata: { a: "2" } }, { ifMetagenerationMatch: 1 });

      assert.equal(String(metadata.metageneration), "2");
      assert.equal(await reasonOf(stale), "412 conditionNotMet");
    },
  },
  {
    name: "a read that asks for what it has is 304",
    run: async (context) => {
      const file = await context.put("x");
      const [{ generation }] = await file.getMetadata();
      const { name } = await context.shared();

      const path = `/storage/v1/b/${name}/o/${file.name}?ifGenerationNotMatch=${String(generation)}`;

      assert.equal((await context.send("GET", path)).status, 304);
    },
  },
  {
    name: "a read of another generation than the condition names is 412",
    run: async (context) => {
      const file = await context.put("x");
      const { name } = await context.shared();

      const answer = await context.send("GET", `/storage/v1/b/${name}/o/${file.name}?alt=media&ifGenerationMatch=1`);

      assert.equal(answer.status, 412);
    },
  },
  {
    name: "in a bucket with versions an older generation is read, listed and deleted by its number",
    run: async (context) => {
      const bucket = await context.bucket({ versioning: { enabled: true } });
      const file = await context.put("old", bucket);
      const [{ generation: old }] = await file.getMetadata();
      await context.put("new", bucket, file.name);

      const older = bucket.file(file.name, { generation: Number(old) });
      const [read] = await older.download();
      const [listed] = await bucket.getFiles({ versions: true });
      await older.delete();
      const [left] = await bucket.getFiles({ versions: true });

      assert.equal(read.toString("utf8"), "old");
      assert.equal(listed.length, 2);
      assert.equal(left.length, 1);
    },
  },
  {
    name: "in a bucket with versions a deleted object is gone, but not its generation",
    run: async (context) => {
      const bucket = await context.bucket({ versioning: { enabled: true } });
      const file = await context.put("old", bucket);
      const [{ generation }] = await file.getMetadata();

      await bucket.file(file.name).delete();

      assert.equal(await reasonOf(bucket.file(file.name).getMetadata()), "404 notFound");
      assert.equal((await bucket.getFiles())[0].length, 0);
      const [read] = await bucket.file(file.name, { generation: Number(generation) }).download();
      assert.equal(read.toString("utf8"), "old");
    },
  },
  {
    name: "in a bucket without versions what is replaced is gone",
    run: async (context) => {
      const bucket = await context.shared();
      const file = await context.put("old");
      const [{ generation }] = await file.getMetadata();
      await context.put("new", undefined, file.name);

      const path = `/storage/v1/b/${bucket.name}/o/${file.name}?generation=${String(generation)}`;

      assert.equal((await context.send("GET", path)).status, 404);
    },
  },
  {
    name: "a condition that is no number is refused",
    run: async (context) => {
      const file = await context.put("x");
      const { name } = await context.shared();

      const answer = await context.send("GET", `/storage/v1/b/${name}/o/${file.name}?ifGenerationMatch=abc`);

      assert.equal(answer.status, 400);
      assert.equal(typeof jsonOf(answer)["error"], "object");
    },
  },
];
