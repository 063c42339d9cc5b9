import assert from "node:assert/strict";
import { test } from "node:test";
import { text, url } from "./config-keys.ts";
import { parseConfig } from "./config.ts";
import { copyTargets, findingsOf, requireOtherBuckets } from "./copy-target.ts";
import { isKind } from "./plugin-error.ts";
import type { CopyTarget } from "./copy-target.ts";
import type { Finding } from "./inspection.ts";

const query = { keys: { region: text("Region."), s3Url: url("Endpoint."), kmsKeyId: text("Key.") } } as const;
const keys = { copyTo: copyTargets("Where copies go.", { scheme: "s3", query, placeKeys: ["s3Url"] }) };

function parse(copyTo: string) {
  return parseConfig({ keys }, { copyTo }).copyTo;
}

function refusal(copyTo: string): string {
  try {
    parse(copyTo);
  } catch (error) {
    assert.ok(isKind(error, "invalid-config"));
    return error.message;
  }
  return assert.fail("accepted");
}

test("one target is a bucket, with the location's keys and a required copy", () => {
  const [target, ...others] = parse("s3://velero-copies");

  assert.deepEqual(
    { ...target, config: { ...target?.config } },
    {
      name: "s3://velero-copies",
      bucket: "velero-copies",
      prefix: undefined,
      mode: "required",
      config: { region: undefined, s3Url: undefined, kmsKeyId: undefined },
    },
  );
  assert.equal(others.length, 0);
});

test("several targets stand apart by white space or commas, each with a prefix and keys of its own", () => {
  const arn = "arn:aws:kms:eu-west-1:1:key/a";
  const targets = parse(`s3://a/x/y/?region=eu-west-1&kmsKeyId=${arn}\n  s3://b?mode=best-effort,s3://c/%C3%A4`);

  assert.deepEqual(
    targets.map(({ name, prefix, mode }) => [name, prefix, mode]),
    [
      ["s3://a/x/y", "x/y", "required"],
      ["s3://b", undefined, "best-effort"],
      ["s3://c/ä", "ä", "required"],
    ],
  );
  assert.deepEqual([targets[0]?.config.region, targets[0]?.config.kmsKeyId], ["eu-west-1", arn]);
});

test("no targets are no copies", () => {
  assert.deepEqual(parse(""), []);
  assert.deepEqual(parse(" ,\n "), []);
});

for (const [what, value, told] of [
  ["another cloud's URL", "gs://b", /target 1 is not of the form s3:\/\/bucket/],
  ["something that is no URL", "s3://a bucket", /target 2 is not a URL/],
  ["a URL without a bucket", "s3:///x", /target 1 has more or less than a bucket/],
  ["a port", "s3://b:1", /target 1 has more or less/],
  ["a fragment", "s3://b#x", /target 1 has more or less/],
  ["an unknown key", "s3://b?regoin=x", /s3:\/\/b: config has invalid keys \[regoin \(did you mean region\?\)\].*mode/],
  ["a key given twice", "s3://b?region=x&region=y", /s3:\/\/b: region is given twice/],
  ["a mode that is none", "s3://b?mode=maybe", /s3:\/\/b: mode: .*required, best-effort/],
  ["a value of the wrong form", "s3://b?s3Url=x", /s3:\/\/b: s3Url: not a URL/],
  ["a target given twice", "s3://b/x s3://b/x/?region=r", /s3:\/\/b\/x is given twice/],
  ["a target within another", "s3://b/x s3://b/x/y", /s3:\/\/b\/x\/y and s3:\/\/b\/x lie within each other/],
  ["too many targets", Array.from({ length: 9 }, (_, index) => `s3://b${index}`).join(" "), /9 targets, more than 8/],
] as const)
  test(`${what} is refused with the reason`, () => {
    assert.match(refusal(value), told);
  });

test("a refusal repeats no user name, password or value", () => {
  for (const value of ["s3://s3cr3t:s3cr3t@b", "s3cr3t", "s3://b?s3Url=s3cr3t", "s3://b?mode=s3cr3t"])
    assert.doesNotMatch(refusal(value), /s3cr3t/);
});

test("two buckets of one name at different endpoints are two targets", () => {
  assert.equal(parse("s3://b?s3Url=https://one s3://b?s3Url=https://two").length, 2);
});

test("the location's own bucket is no place for its copies, whatever the prefix", () => {
  for (const copyTo of ["s3://own", "s3://own/elsewhere?region=r", "s3://own?s3Url=https://here"])
    assert.throws(
      () => requireOtherBuckets(parse(copyTo), { bucket: "own", s3Url: new URL("https://here") }),
      (error) => isKind(error, "invalid-config") && /copyTo: s3:\/\/own.*another region/.test(error.message),
    );
  requireOtherBuckets(parse("s3://own?s3Url=https://there s3://other"), { bucket: "own", s3Url: undefined });
});

test("a finding names its target, and what a best-effort copy lacks is advice", async () => {
  const failure = { severity: "failure", subject: "s3:PutObject", detail: "denied", remedy: "grant it" } as const;
  const [required, bestEffort] = parse("s3://a s3://b?mode=best-effort");

  assert.deepEqual(await findings(required, failure), ["failure copyTo s3://a: s3:PutObject"]);
  assert.deepEqual(await findings(bestEffort, failure), ["advice copyTo s3://b: s3:PutObject"]);
});

async function findings(target: CopyTarget | undefined, finding: Finding): Promise<readonly string[]> {
  assert.ok(target);
  const found = await Array.fromAsync(findingsOf(target, [finding]));
  return found.map(({ severity, subject }) => `${severity} ${subject}`);
}
