import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { PluginError } from "@flotilla/sdk/plugin";
import { pack } from "tar-stream";
import type { Header } from "tar-stream";

import { collectBody } from "./collect-body.ts";
import { readTarball } from "./tarball-reader.ts";

type EntryHeader = Partial<Header> & Pick<Header, "name">;

async function tarball(...entries: readonly EntryHeader[]): Promise<Buffer> {
  const archive = pack();
  for (const entry of entries) archive.entry(entry, entry.type === undefined ? "content" : "");
  archive.finalize();
  return gzipSync(await collectBody(archive as AsyncIterable<Uint8Array>, "tarball"));
}

async function* inChunks(bytes: Uint8Array, size = 512): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function pathsOf(body: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const paths: string[] = [];
  await readTarball(body, async ({ path, content }) => {
    paths.push(path);
    await collectBody(content, path);
  });
  return paths;
}

const escapes: readonly EntryHeader[] = [
  { name: "/etc/passwd" },
  { name: "../outside" },
  { name: "resources/../../outside" },
  { name: "C:/windows" },
  { name: "a\\..\\b" },
];

for (const entry of escapes) {
  test(`the entry ${JSON.stringify(entry.name)} is refused`, async () => {
    await assert.rejects(pathsOf(inChunks(await tarball({ name: "fine" }, entry))), {
      kind: "corrupt",
      message: /would leave the folder/,
    });
  });
}

for (const type of ["symlink", "link", "fifo", "character-device"] as const) {
  test(`an entry that is a ${type} is refused`, async () => {
    const body = inChunks(await tarball({ name: "x", type, linkname: "/etc/passwd" }));

    await assert.rejects(pathsOf(body), { kind: "corrupt", message: new RegExp(`is a ${type}`) });
  });
}

test("an entry that comes twice is refused", async () => {
  await assert.rejects(pathsOf(inChunks(await tarball({ name: "x" }, { name: "./x" }))), { kind: "corrupt" });
});

test("what is no gzip is corrupt", async () => {
  await assert.rejects(pathsOf(inChunks(Buffer.from("plain text"))), { kind: "corrupt" });
});

test("gzip that holds no tar is corrupt", async () => {
  await assert.rejects(pathsOf(inChunks(gzipSync(Buffer.alloc(2000, "x")))), { kind: "corrupt" });
});

test("a tarball that ends early is corrupt, wherever it ends", async () => {
  const whole = await tarball({ name: "a" }, { name: "b" });

  for (const size of [5, whole.length >> 1, whole.length - 9, whole.length - 1]) {
    await assert.rejects(pathsOf(inChunks(whole.subarray(0, size))), { kind: "corrupt" }, `cut at ${size}`);
  }
});

test("an error of the source stays what it is", async () => {
  const whole = await tarball({ name: "a" });
  async function* failing() {
    yield whole.subarray(0, 20);
    throw new PluginError("read: connection lost", { kind: "unavailable" });
  }

  await assert.rejects(pathsOf(failing()), { kind: "unavailable", message: "read: connection lost" });
});

test("an error of the source after its last byte is not lost", async () => {
  const whole = await tarball({ name: "a" });
  async function* failing() {
    yield whole;
    throw new PluginError("its bytes differ", { kind: "corrupt" });
  }

  await assert.rejects(pathsOf(failing()), /its bytes differ/);
});

test("an error of the visitor stays what it is, and ends the reading", async () => {
  const walking = readTarball(inChunks(await tarball({ name: "a" }, { name: "b" })), async () => {
    await Promise.reject(new PluginError("write: the disk is full", { kind: "internal" }));
  });

  await assert.rejects(walking, { kind: "internal", message: "write: the disk is full" });
});

test("files are visited with paths relative to the folder, folders are passed over", async () => {
  const body = inChunks(await tarball({ name: "./resources/", type: "directory" }, { name: "./resources//a.json" }));

  assert.deepEqual(await pathsOf(body), ["resources/a.json"]);
});

test("a visitor that ignores a file's content gets the next one", async () => {
  const paths: string[] = [];

  await readTarball(inChunks(await tarball({ name: "a" }, { name: "b" })), async ({ path }) => {
    await Promise.resolve(paths.push(path));
  });

  assert.deepEqual(paths, ["a", "b"]);
});
