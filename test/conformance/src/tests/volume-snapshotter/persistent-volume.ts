import type { PersistentVolumeForm } from "../../target/target.ts";
import type { TestContext } from "../../test-context.ts";

/** Larger than a double can hold exactly: what passes it through a double changes it. */
export const bigNumber = "9007199254740993";

/**
 * A PersistentVolume in JSON as the server sends it, with fields that no released type has and a number that a double
 * cannot hold.
 */
export function persistentVolume({ spec, labels = {} }: Pick<PersistentVolumeForm, "spec" | "labels">): string {
  const text = JSON.stringify({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name: "conformance-pv",
      labels: { app: "conformance", ...labels },
      annotations: { "example.com/unknown": "kept", "pv.kubernetes.io/provisioned-by": "example.com/driver" },
    },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Delete",
      storageClassName: "conformance",
      futureField: { nested: [1, "two", null, { three: true }] },
      ...spec,
    },
    futureTopLevel: "kept",
  });
  return text.replace(/}$/, `,"futureNumber":${bigNumber}}`);
}

/** The forms of the target that belong to this provider. */
export function ownForms(t: TestContext): readonly PersistentVolumeForm[] {
  return (t.volumeTarget.persistentVolumes ?? []).filter(({ volumeId }) => volumeId !== "");
}

/** The forms of the target that belong to others. */
export function foreignForms(t: TestContext): readonly PersistentVolumeForm[] {
  return (t.volumeTarget.persistentVolumes ?? []).filter(({ volumeId }) => volumeId === "");
}
