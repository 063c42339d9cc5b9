import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { Probe } from "../probe.ts";
import { hashesOf, jsonOf, reasonOf } from "./context.ts";
import type { GcsContext } from "./context.ts";

const quantum = 256 * 1024;

/** Objects that arrive in many requests. */
export const resumableProbes: readonly Probe<GcsContext>[] = [
  {
    name: "Google's client uploads in chunks, and the hash of all is right",
    run: async (context) => {
      const bytes = randomBytes(5 * quantum + 17);
      const file = (await context.shared()).file(context.name());

      // The client begins an upload with a token only there; what goes on needs none.
      const [uri] = await file.createResumableUpload();
      await pipeline(
        Readable.from([bytes]),
        file.createWriteStream({ uri, offset: 0, chunkSize: 2 * quantum, resumable: true }),
      );

      const [metadata] = await file.getMetadata();
      assert.equal(metadata.crc32c, hashesOf(bytes).crc32c);
    },
  },
  {
    name: "Google's client uploads in one request of unknown length",
    run: async (context) => {
      const bytes = randomBytes(3 * quantum + 5);
      const file = (await context.shared()).file(context.name());

      const [uri] = await file.createResumableUpload();
      await pipeline(Readable.from([bytes]), file.createWriteStream({ uri, offset: 0, resumable: true }));

      const [metadata] = await file.getMetadata();
      assert.equal(metadata.crc32c, hashesOf(bytes).crc32c);
    },
  },
  {
    name: "a chunk is answered with 308 and what has been kept",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name());

      const answer = await context.chunk(session, `0-${quantum - 1}/*`, randomBytes(quantum));

      assert.equal(answer.status, 308);
      assert.equal(answer.headers.get("range"), `bytes=0-${quantum - 1}`);
    },
  },
  {
    name: "the state of an upload is told: nothing yet, then what has been kept",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name());

      const before = await context.chunk(session, "*/*");
      await context.chunk(session, `0-${quantum - 1}/*`, randomBytes(quantum));
      const after = await context.chunk(session, "*/*");

      assert.deepEqual([before.status, before.headers.get("range")], [308, null]);
      assert.deepEqual([after.status, after.headers.get("range")], [308, `bytes=0-${quantum - 1}`]);
    },
  },
  {
    name: "the state of an upload that is complete is its object",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name());
      const answer = await context.chunk(session, "0-4/5", Buffer.from("whole"));

      const again = await context.chunk(session, "*/5");

      assert.equal(answer.status, 200);
      assert.equal(again.status, 200);
      assert.equal(jsonOf(again)["generation"], jsonOf(answer)["generation"]);
    },
  },
  {
    name: "an upload of known size is ended by a request without bytes",
    run: async (context) => {
      const bytes = randomBytes(quantum);
      const session = await context.begin((await context.shared()).name, context.name());
      await context.chunk(session, `0-${quantum - 1}/*`, bytes);

      const answer = await context.chunk(session, `*/${quantum}`);

      assert.equal(answer.status, 200);
      assert.equal(jsonOf(answer)["crc32c"], hashesOf(bytes).crc32c);
    },
  },
  {
    name: "a chunk that is sent once more is not stored twice",
    run: async (context) => {
      const bytes = randomBytes(2 * quantum);
      const session = await context.begin((await context.shared()).name, context.name());
      await context.chunk(session, `0-${quantum - 1}/*`, bytes.subarray(0, quantum));

      await context.chunk(session, `0-${quantum - 1}/*`, bytes.subarray(0, quantum));
      const answer = await context.chunk(
        session,
        `${quantum}-${2 * quantum - 1}/${2 * quantum}`,
        bytes.subarray(quantum),
      );

      assert.equal(answer.status, 200);
      assert.equal(jsonOf(answer)["crc32c"], hashesOf(bytes).crc32c);
    },
  },
  {
    name: "of a chunk that is no multiple of 256 KiB only the multiple is kept",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name());

      const answer = await context.chunk(session, `0-${quantum + 99}/*`, randomBytes(quantum + 100));

      assert.equal(answer.status, 308);
      assert.equal(answer.headers.get("range"), `bytes=0-${quantum - 1}`);
    },
  },
  {
    name: "a chunk of less than 256 KiB that is not the last is refused",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name());

      const answer = await context.chunk(session, "0-999/*", randomBytes(1000));

      assert.equal(answer.status, 400);
      assert.match(answer.body.toString("utf8"), /262144/);
    },
  },
  {
    name: "a chunk that leaves a hole is refused",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name());

      const answer = await context.chunk(session, `${quantum}-${2 * quantum - 1}/*`, randomBytes(quantum));

      assert.equal(answer.status, 503);
      assert.match(answer.body.toString("utf8"), /exceeds already uploaded size/);
    },
  },
  {
    name: "a wrong CRC32C in the header of the last chunk is refused, and nothing is stored",
    run: async (context) => {
      const bucket = await context.shared();
      const name = context.name();
      const session = await context.begin(bucket.name, name);

      const answer = await context.chunk(session, "0-4/5", Buffer.from("right"), { "x-goog-hash": "crc32c=AAAAAA==" });

      assert.equal(answer.status, 400);
      assert.match(answer.body.toString("utf8"), /Provided CRC32C .*AAAAAA==.* doesn't match calculated CRC32C/);
      assert.equal(await reasonOf(bucket.file(name).getMetadata()), "404 notFound");
    },
  },
  {
    name: "the right CRC32C in the header of the last chunk is accepted",
    run: async (context) => {
      const bytes = Buffer.from("right");
      const session = await context.begin((await context.shared()).name, context.name());

      const answer = await context.chunk(session, "0-4/5", bytes, {
        "x-goog-hash": `crc32c=${hashesOf(bytes).crc32c}`,
      });

      assert.equal(answer.status, 200);
    },
  },
  {
    name: "a wrong CRC32C that was said at the beginning of an upload is refused at its end",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name(), {
        resource: { crc32c: "AAAAAA==" },
      });

      assert.equal((await context.chunk(session, "0-4/5", Buffer.from("right"))).status, 400);
    },
  },
  {
    name: "an upload that is not complete is no object, and leaves the former one as it was",
    run: async (context) => {
      const bucket = await context.shared();
      const file = await context.put("former");
      const session = await context.begin(bucket.name, file.name);

      await context.chunk(session, `0-${quantum - 1}/*`, randomBytes(quantum));

      assert.equal((await file.download())[0].toString("utf8"), "former");
    },
  },
  {
    name: "a cancelled upload is answered with 499 and is gone",
    run: async (context) => {
      const session = await context.begin((await context.shared()).name, context.name());
      await context.chunk(session, `0-${quantum - 1}/*`, randomBytes(quantum));

      const answer = await context.send("DELETE", session, { headers: { "content-length": "0" } });
      const after = await context.chunk(session, "*/*");

      assert.equal(answer.status, 499);
      assert.ok(after.status >= 400 && after.status < 500, `got ${after.status}`);
    },
  },
  {
    name: "a session that does not exist is 404",
    run: async (context) => {
      const { name } = await context.shared();
      const path = `/upload/storage/v1/b/${name}/o?uploadType=resumable&upload_id=unknown`;

      assert.equal((await context.chunk(path, "*/*")).status, 404);
    },
  },
];
