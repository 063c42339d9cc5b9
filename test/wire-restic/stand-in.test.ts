import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { absenceWords } from "../wire/absence.ts";
import { bytesOf, readUntilError } from "../wire/bytes.ts";
import { startResticRig } from "./restic-rig.ts";
import type { ResticRig } from "./restic-rig.ts";

// How the plugin speaks with a restic, on machines without one: `npm test` is not blind there. What restic itself keeps,
// the other files here try with a real one.

const large = bytesOf(2_500_000, "large");

describe("objects, with a stand-in of restic", () => {
  let rig: ResticRig;

  before(async () => {
    rig = await startResticRig({ isStandIn: true });
  });

  after(async () => {
    await rig.close();
  });

  test("what is put is listed and read whole, by another process too, and gone after its delete", async () => {
    const location = await rig.open("round-trip");
    const bodies = new Map([
      ["backups/b1/b1.tar.gz", gzipSync(large)],
      ["backups/b1/a, b=c\n日本語🎉", Buffer.from("small")],
      ["backups/b1/empty", Buffer.alloc(0)],
      ["backups/b1/large", large],
    ]);
    for (const [key, body] of bodies) await location.put(key, body);

    const other = await rig.open("round-trip", { session: rig.start() });
    assert.deepEqual((await other.list("backups/")).toSorted(), [...bodies.keys()].toSorted());
    for (const [key, body] of bodies) assert.deepEqual(await other.get(key), body);

    for (const key of bodies.keys()) await location.store.deleteObject(location.at(key));
    assert.deepEqual(await other.list(), []);
    assert.match(
      (await readUntilError(other.store.getObject(other.at("backups/b1/large")))).error.message,
      absenceWords,
    );
  });

  test("a restic that stores less than it got fails the put, and the former object stays", async () => {
    const resticPath = await rig.script(
      "short",
      `case "$*" in *'key=victim'*) head -c 4000 | "$RESTIC" "$@"; exit $?;; esac\nexec "$RESTIC" "$@"`,
    );
    await (await rig.open("short")).put("victim", Buffer.from("former"));
    const location = await rig.open("short", { session: rig.start(), config: { resticPath } });

    for (const body of [Buffer.alloc(5000, "small "), large])
      await assert.rejects(location.put("victim", body), /stored 4000 of \d+ bytes/);
    assert.equal(String(await location.get("victim")), "former");
  });

  test("a restic that reads other bytes than were stored never ends a get cleanly", async () => {
    const resticPath = await rig.script(
      "lying",
      `case "$1" in dump) "$RESTIC" "$@" | tr a b; exit 0;; esac\nexec "$RESTIC" "$@"`,
    );
    const location = await rig.open("lying", { session: rig.start(), config: { resticPath } });
    await location.put("key", Buffer.from("a".repeat(1000)));

    const { error, receivedBytes } = await readUntilError(location.store.getObject(location.at("key")));
    assert.match(error.message, /sha256 is recorded as .*; read it again/);
    assert.equal(receivedBytes, 0);
  });

  test("a wrong password, and a restic that vanished, are told as that", async () => {
    const [wrong, vanishing] = [join(rig.folder, "wrong"), await rig.script("vanishing", `exec "$RESTIC" "$@"`)];
    await writeFile(wrong, "wrong\n");
    const denied = await rig.open("wrong", { session: rig.start(), config: { passwordFile: wrong } });
    const orphan = await rig.open("wrong", { session: rig.start(), config: { resticPath: vanishing } });

    await assert.rejects(denied.list(), /the password opens none of the repository's keys/);
    await rm(vanishing);
    await assert.rejects(orphan.list(), /restic cannot be started .*ENOENT.*name another by resticPath/);
  });
});
