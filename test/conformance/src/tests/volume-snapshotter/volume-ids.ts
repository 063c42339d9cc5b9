import { expect, expectEqual, fail } from "../../expect.ts";
import type { PersistentVolumeForm } from "../../target/target.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { bigNumber, foreignForms, ownForms, persistentVolume } from "./persistent-volume.ts";

const common = { kind: "VolumeSnapshotter", needs: ["persistent-volumes"] } as const;

/** From a PersistentVolume to a volume's id and back. */
export const volumeIdTests: readonly ConformanceTest[] = [
  {
    ...common,
    id: "volume-snapshotter/volume-ids/finds-every-form",
    title: "the volume behind every form of PersistentVolume is found",
    rule: "finds-volume-ids",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      for (const form of ownForms(t))
        expectEqual(await snapshotter.getVolumeId(persistentVolume(form)), form.volumeId, `the id of ${form.form}`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/leaves-others",
    title: "a PersistentVolume of another driver has an empty id and is no error",
    rule: "leaves-others-alone",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      for (const form of foreignForms(t))
        expectEqual(await snapshotter.getVolumeId(persistentVolume(form)), "", `the id of ${form.form}`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/sets-every-form",
    title: "the new id is written in the form that the PersistentVolume has",
    rule: "sets-volume-ids",
    run: async (t) => {
      for (const { form, volume, rewritten } of await rewriteEach(t)) {
        if (form.rewritten === undefined) continue;
        const spec: unknown = record(volume["spec"]);
        for (const [name, wanted] of Object.entries(form.rewritten))
          expectEqual(
            record(record(rewritten["spec"]))[name],
            wanted,
            `spec.${name} of ${form.form}, before: ${JSON.stringify(spec)}`,
          );
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/answers-a-whole-object",
    title: "the rewritten PersistentVolume is a whole object with apiVersion and kind",
    rule: "set-answers-a-whole-object",
    run: async (t) => {
      for (const { form, rewritten } of await rewriteEach(t)) {
        expectEqual(rewritten["kind"], "PersistentVolume", `kind of ${form.form}`);
        expectEqual(rewritten["apiVersion"], "v1", `apiVersion of ${form.form}`);
        expectEqual(record(rewritten["metadata"])["name"], "conformance-pv", `metadata.name of ${form.form}`);
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/keeps-known-fields",
    title: "fields of the PersistentVolume that Kubernetes knows stay as they were",
    rule: "set-keeps-known-fields",
    run: async (t) => {
      for (const { form, volume, rewritten } of await rewriteEach(t)) {
        const [before, after] = [record(volume["spec"]), record(rewritten["spec"])];
        for (const name of ["capacity", "accessModes", "persistentVolumeReclaimPolicy", "storageClassName"])
          expectEqual(after[name], before[name], `spec.${name} of ${form.form}`);
        const annotations = (object: Fields): unknown => record(object["metadata"])["annotations"];
        expectEqual(annotations(rewritten), annotations(volume), `the annotations of ${form.form}`);
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/keeps-unknown-fields",
    title: "fields of the PersistentVolume that nobody knows yet stay as they were",
    rule: "set-keeps-the-rest",
    run: async (t) => {
      for (const { form, volume, rewritten } of await rewriteEach(t)) {
        const future = (object: Fields): unknown => [record(object["spec"])["futureField"], object["futureTopLevel"]];
        expectEqual(future(rewritten), future(volume), `the unknown fields of ${form.form}`);
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/keeps-large-numbers",
    title: "a number that a double cannot hold stays as it was",
    rule: "set-keeps-the-rest",
    run: async (t) => {
      for (const { form, text } of await rewriteEach(t))
        expect(text.includes(`"futureNumber":${bigNumber}`), `${form.form}: futureNumber is no longer ${bigNumber}`);
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/adds-nothing",
    title: "rewriting a PersistentVolume adds no field of its own to it",
    rule: "set-keeps-the-rest",
    run: async (t) => {
      for (const { form, volume, rewritten } of await rewriteEach(t)) {
        expectEqual(Object.keys(rewritten).sort(), Object.keys(volume).sort(), `the top-level fields of ${form.form}`);
        expect(
          !("creationTimestamp" in record(rewritten["metadata"])),
          `${form.form}: metadata.creationTimestamp was added`,
        );
      }
    },
  },
  {
    ...common,
    id: "volume-snapshotter/volume-ids/finds-its-own-writing",
    title: "the id that was written is found again",
    rule: "set-is-found-again",
    run: async (t) => {
      const snapshotter = await t.openVolumeSnapshotter();
      for (const form of ownForms(t)) {
        const newId = form.rewrittenTo ?? form.volumeId;
        const text = await snapshotter.setVolumeId(persistentVolume(form), newId);
        expectEqual(await snapshotter.getVolumeId(text), newId, `the id of the rewritten ${form.form}`);
      }
    },
  },
];

type Fields = Readonly<Record<string, unknown>>;

async function rewriteEach(t: TestContext): Promise<
  readonly {
    readonly form: PersistentVolumeForm;
    readonly text: string;
    readonly volume: Fields;
    readonly rewritten: Fields;
  }[]
> {
  const snapshotter = await t.openVolumeSnapshotter();
  const results = [];
  for (const form of ownForms(t)) {
    const before = persistentVolume(form);
    const text = await snapshotter.setVolumeId(before, form.rewrittenTo ?? form.volumeId);
    results.push({ form, text, volume: parse(before, form), rewritten: parse(text, form) });
  }
  return results;
}

function parse(text: string, form: PersistentVolumeForm): Fields {
  try {
    return record(JSON.parse(text));
  } catch {
    return fail(`${form.form}: the answer is no JSON: ${text.slice(0, 80)}`);
  }
}

function record(value: unknown): Fields {
  if (typeof value !== "object" || value === null) fail(`an object was expected, not ${JSON.stringify(value)}`);
  // Every object has string keys; what they hold is looked at before it is used.
  return value as Fields;
}
