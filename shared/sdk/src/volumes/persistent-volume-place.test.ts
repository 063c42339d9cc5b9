import assert from "node:assert/strict";
import { test } from "node:test";

import { withPlace, zonesOf } from "./persistent-volume-place.ts";

const driverKey = "topology.ebs.csi.aws.com/zone";
const place = { zones: ["eu-west-1b"], region: "eu-west-1" };

function expression(key: string, ...values: string[]) {
  return { key, operator: "In", values };
}

function volumeWith(labels: Record<string, string>, ...terms: (readonly unknown[])[]) {
  const nodeSelectorTerms = terms.map((matchExpressions) => ({ matchExpressions }));
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "pv", labels },
    spec: { nodeAffinity: { required: { nodeSelectorTerms } }, csi: { driver: "d", unknown: { kept: true } } },
  } as never;
}

test("labels and affinity of zone and region follow the volume, and nothing else changes", () => {
  const before = volumeWith(
    {
      app: "db",
      "topology.kubernetes.io/zone": "eu-central-1a",
      "topology.kubernetes.io/region": "eu-central-1",
      "failure-domain.beta.kubernetes.io/zone": "eu-central-1a",
      "failure-domain.beta.kubernetes.io/region": "eu-central-1",
    },
    [
      expression(driverKey, "eu-central-1a"),
      expression("topology.kubernetes.io/region", "eu-central-1"),
      expression("kubernetes.io/arch", "arm64"),
    ],
  );

  const after = withPlace(before, place, [driverKey]);

  assert.deepEqual(
    after,
    volumeWith(
      {
        app: "db",
        "topology.kubernetes.io/zone": "eu-west-1b",
        "topology.kubernetes.io/region": "eu-west-1",
        "failure-domain.beta.kubernetes.io/zone": "eu-west-1b",
        "failure-domain.beta.kubernetes.io/region": "eu-west-1",
      },
      [
        expression(driverKey, "eu-west-1b"),
        expression("topology.kubernetes.io/region", "eu-west-1"),
        expression("kubernetes.io/arch", "arm64"),
      ],
    ),
  );
});

test("a volume without labels and affinity gets none", () => {
  const volume = { apiVersion: "v1", kind: "PersistentVolume", spec: { csi: {} } };

  assert.deepEqual(withPlace(volume, place, [driverKey]), volume);
});

test("terms of several zones that become the same are one", () => {
  const before = volumeWith({}, [expression(driverKey, "a")], [expression(driverKey, "b")]);

  assert.deepEqual(withPlace(before, place, [driverKey]), volumeWith({}, [expression(driverKey, "eu-west-1b")]));
});

test("a replicated volume has all its zones in its label", () => {
  const before = volumeWith({ "topology.kubernetes.io/zone": "a__b" }, [expression(driverKey, "a", "b")]);
  const after = withPlace(before, { zones: ["c", "d"], region: "r" }, [driverKey]);

  assert.deepEqual(after, volumeWith({ "topology.kubernetes.io/zone": "c__d" }, [expression(driverKey, "c", "d")]));
});

test("a replicated volume with a term for each zone keeps one for each: the server reads one zone of a term", () => {
  const before = volumeWith({}, [expression(driverKey, "a")], [expression(driverKey, "b")]);
  const after = withPlace(before, { zones: ["c", "d"], region: "r" }, [driverKey]);

  assert.deepEqual(after, volumeWith({}, [expression(driverKey, "c")], [expression(driverKey, "d")]));
});

test("an expression of another operator is left as it is", () => {
  const volume = volumeWith({}, [{ key: driverKey, operator: "NotIn", values: ["eu-central-1a"] }]);

  assert.deepEqual(withPlace(volume, place, [driverKey]), volume);
});

test("a volume's zones are those of its affinity, else of its labels", () => {
  assert.deepEqual(zonesOf(volumeWith({ [driverKey]: "a" }, [expression(driverKey, "b")]), [driverKey]), ["b"]);
  assert.deepEqual(zonesOf(volumeWith({ "topology.kubernetes.io/zone": "a__b" }), [driverKey]), ["a", "b"]);
  assert.deepEqual(zonesOf({ spec: {} }, [driverKey]), []);
});
