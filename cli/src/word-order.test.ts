import assert from "node:assert/strict";
import { test } from "node:test";

import { nounFirst } from "./word-order.ts";

const cases: readonly (readonly [string, string])[] = [
  ["list backups -o json", "backup list -o json"],
  ["backup list", "backup list"],
  ["get backup nightly", "backup get nightly"],
  ["snapshot volume vol-1", "volume snapshot vol-1"],
  ["volume snapshot vol-1", "volume snapshot vol-1"],
  ["delete snapshot snap-1", "volume delete snap-1"],
  ["backup describe backup", "backup describe backup"],
  ["backups list", "backup list"],
  ["check --bucket backup", "check --bucket backup"],
  ["--help", "--help"],
  ["help", "help"],
  ["help check", "check --help"],
  ["help list backups", "backup list --help"],
  ["help backup list", "backup list --help"],
];

for (const [given, meant] of cases) {
  test(`"${given}" means "${meant}"`, () => {
    assert.deepEqual(nounFirst(given.split(" ")), meant.split(" "));
  });
}
