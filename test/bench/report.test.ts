import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable, report } from "./report.ts";
import { median, parseSample, type Sample } from "./samples.ts";

const subjects = { ours: "ours", theirs: "theirs" };

function sample(overrides: Partial<Sample>): Sample {
  const empty = { case: "put-1GiB", subject: "ours", seconds: 1, bytes: 2 ** 30 };
  return { ...empty, cpuSeconds: 1, peakBytes: 100 * 2 ** 20, residentBytes: 0, ...overrides };
}

test("a line that is no sample is refused", () => {
  assert.throws(() => parseSample("{}"), /no sample/);
});

test("a goal that is not reached is missed", () => {
  const lines = report([sample({ seconds: 2 }), sample({ subject: "theirs", seconds: 1 })], subjects);

  assert.equal(lines.find(({ metric }) => metric === "speed")?.verdict, "missed");
});

test("a plugin that was not measured reaches nothing", () => {
  const lines = report([sample({ subject: "theirs" })], subjects);

  assert.deepEqual(
    lines.map(({ verdict }) => verdict),
    ["missed", "missed", "missed"],
  );
});

test("a limit on ours alone does not look at theirs", () => {
  const lines = report([sample({}), sample({ subject: "theirs", peakBytes: 1 })], subjects);

  assert.equal(lines.find(({ metric }) => metric === "peak memory")?.verdict, "stretch");
});

test("between must and stretch a goal counts as reached", () => {
  const lines = report([sample({ cpuSeconds: 1.5 }), sample({ subject: "theirs" })], subjects);

  assert.equal(lines.find(({ metric }) => metric === "CPU")?.verdict, "must");
});

test("the median of an even number of samples lies between the middle two", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([9, 1, 5]), 5);
});

test("the table shows both medians, the ratio and the goal", () => {
  const lines = report([sample({ seconds: 0.5 }), sample({ subject: "theirs" })], subjects);

  assert.match(formatTable(lines, subjects), /put-1GiB +speed \(MiB\/s\) +2048 +1024 +2\.00 +>= 0\.8x +>= 1x +stretch/);
});
