import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isJsonObject, parseJson, printJson } from "../plugin/index.ts";
import {
  csiVolumeOf,
  hasSource,
  inTreeFieldOf,
  labelOf,
  withCsiVolumeHandle,
  withField,
  withInTreeField,
  withLabel,
} from "./persistent-volume.ts";
import type { JsonObject } from "../plugin/index.ts";

function parse(text: string): JsonObject {
  const value = parseJson(text);
  assert.ok(isJsonObject(value));
  return value;
}

const csi = parse(`{
  "metadata": { "name": "pv-1", "labels": { "topology.kubernetes.io/zone": "eu-west-1a" } },
  "spec": { "csi": { "driver": "ebs.csi.aws.com", "volumeHandle": "vol-1", "newField": 12345678901234567890 } }
}`);
const inTree = parse(`{ "spec": { "awsElasticBlockStore": { "volumeID": "aws://z/vol-1", "partition": 1 } } }`);

test("a CSI volume is read by driver and handle", () => {
  assert.deepEqual(csiVolumeOf(csi), { driver: "ebs.csi.aws.com", volumeHandle: "vol-1" });
  assert.equal(csiVolumeOf(inTree), undefined);
});

test("an in-tree field is read only from a source of its kind", () => {
  assert.equal(inTreeFieldOf(inTree, "awsElasticBlockStore", "volumeID"), "aws://z/vol-1");
  assert.equal(inTreeFieldOf(inTree, "awsElasticBlockStore", "partition"), undefined);
  assert.equal(inTreeFieldOf(csi, "awsElasticBlockStore", "volumeID"), undefined);
  assert.deepEqual([hasSource(inTree, "awsElasticBlockStore"), hasSource(csi, "awsElasticBlockStore")], [true, false]);
});

test("a PersistentVolume of a form that nobody expects is no CSI volume", () => {
  const odd = [`{}`, `{"spec":null}`, `{"spec":[]}`, `{"spec":{"csi":"x"}}`, `{"spec":{"csi":{"driver":"d"}}}`];

  for (const text of odd) assert.equal(csiVolumeOf(parse(text)), undefined);
  assert.equal(labelOf(parse(`{"metadata":{"labels":{"a":1}}}`), "a"), undefined);
});

test("fields that every object inherits are not taken for fields of the volume", () => {
  assert.equal(labelOf(parse(`{"metadata":{"labels":{}}}`), "constructor"), undefined);
  assert.equal(hasSource(parse(`{"spec":{}}`), "__proto__"), false);
});

test("another volume handle keeps numbers beyond a double and the original untouched", () => {
  const before = printJson(csi);

  const changed = withCsiVolumeHandle(csi, "vol-2");

  assert.equal(printJson(changed), before.replace("vol-1", "vol-2"));
  assert.match(printJson(changed), /12345678901234567890/);
  assert.equal(printJson(csi), before);
});

test("an in-tree field and a label are set, and made where they are missing", () => {
  assert.equal(
    printJson(withInTreeField(inTree, "awsElasticBlockStore", "volumeID", "aws://z/vol-2")),
    `{"spec":{"awsElasticBlockStore":{"volumeID":"aws://z/vol-2","partition":1}}}`,
  );
  assert.equal(labelOf(withLabel(csi, "topology.kubernetes.io/zone", "b"), "topology.kubernetes.io/zone"), "b");
  assert.equal(printJson(withLabel({}, "zone", "b")), `{"metadata":{"labels":{"zone":"b"}}}`);
});

test("rewriting the id of any PersistentVolume changes nothing else, whatever its fields and numbers", () => {
  const anyNumber = fc.oneof(
    fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
    fc.constantFrom("1.0", "-0", "1e400", "0.1000000000000000055511151231257827", "9007199254740993"),
  );
  const { json } = fc.letrec<{ json: string; object: string }>((tie) => ({
    json: fc.oneof({ maxDepth: 3 }, anyNumber, fc.json({ maxDepth: 1 }), tie("object")),
    object: fc.dictionary(fc.string(), tie("json"), { maxKeys: 4 }).map(
      (fields) =>
        `{${Object.entries(fields)
          .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
          .join(",")}}`,
    ),
  }));
  fc.assert(
    fc.property(json, json, json, (a, b, c) => {
      const text = (id: string): string =>
        `{"x":${a},"spec":{"y":${b},"csi":{"driver":"d","volumeHandle":${JSON.stringify(id)},"z":${c}}}}`;
      const compact = (source: string): string => printJson(parseJson(source));

      assert.equal(printJson(withCsiVolumeHandle(parse(text("vol-1")), "vol-2")), compact(text("vol-2")));
    }),
    { numRuns: 500 },
  );
});

test("a field with a name that JavaScript treats specially is set like any other", () => {
  const changed = withField(parse(`{"__proto__":{"a":1}}`), ["__proto__", "a"], 2);

  assert.equal(printJson(changed), `{"__proto__":{"a":2}}`);
});
