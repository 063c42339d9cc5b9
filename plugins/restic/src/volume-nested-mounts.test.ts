import assert from "node:assert/strict";
import { test } from "node:test";
import { otherFileSystems } from "./volume-nested-mounts.ts";

const line = (device: string, place: string) => `36 35 ${device} / ${place} rw,noatime master:1 - ext4 /dev/root rw`;
const table = [
  line("8:1", "/"),
  line("0:50", "/volumes/nfs"),
  line("0:50", "/volumes/nfs/a/bound"),
  line("0:61", "/volumes/nfs/a/in\\040ner"),
  line("0:62", "/volumes/nfs/ab"),
  line("8:1", "/volumes/nfs/a/root"),
  "",
].join("\n");

test("other file systems below a volume are found, what is bound from its own is not, nor what is beside it", () => {
  assert.deepEqual(otherFileSystems("/volumes/nfs/a", table), ["in ner", "root"]);
  assert.deepEqual(otherFileSystems("/volumes/nfs/ab", table), []);
  assert.deepEqual(otherFileSystems("/volumes", table), ["nfs", "nfs/a/bound", "nfs/a/in ner", "nfs/ab"]);
});

test("nothing is told where the system has no such table", () => {
  assert.deepEqual(otherFileSystems("/volumes/nfs/a", ""), []);
});
