import { readJson, resourceOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkConditions } from "./conditions.ts";
import { findObject } from "./find-object.ts";
import type { FoundObject } from "./find-object.ts";
import { invalid } from "./gcs-error.ts";
import { checkUnprotected } from "./new-object.ts";
import { settingsOf } from "./object-meta.ts";
import type { ObjectMeta, ObjectSettings } from "./object-meta.ts";
import { mergeSettings } from "./settings.ts";

/** objects.patch: what is not named stays. */
export async function patchObject(call: Call): Promise<Answer> {
  const patch = await readJson(call);
  const found = findObject(call);
  return change(call, found, mergeSettings(settingsOf(found.meta), patch), patch);
}

/** objects.update: what is not named goes. */
export async function updateObject(call: Call): Promise<Answer> {
  const resource = await readJson(call);
  return change(call, findObject(call), mergeSettings({}, resource), resource);
}

/** objects.delete: a named generation for good, the live one into the past where the bucket keeps versions. */
export function deleteObject(call: Call): Answer {
  const { bucket, meta } = findObject(call);
  checkConditions(call.query, meta, "write");
  const isForGood = call.query.has("generation") || !bucket.config.isVersioned;
  if (isForGood) {
    checkUnprotected(call, bucket, meta);
    bucket.remove(meta);
  } else {
    const generation = call.state.nextGeneration();
    const now = call.now.toISOString();
    const marker = { ...meta, versionId: String(generation), sequence: generation, created: now, isDeleteMarker: true };
    bucket.retire(meta, marker);
  }
  return { status: 204 };
}

function change(
  call: Call,
  { bucket, meta }: FoundObject,
  settings: ObjectSettings,
  named: Readonly<Record<string, unknown>>,
): Answer {
  checkConditions(call.query, meta, "write");
  const storageClass = named["storageClass"];
  if (typeof storageClass === "string" && storageClass !== meta.storageClass) {
    throw invalid("The storage class of an object is changed by a rewrite only.");
  }
  const cleared = Object.fromEntries(Object.keys(settingsOf(meta)).map((name) => [name, undefined]));
  const isReleased = meta.eventBasedHold === true && settings.eventBasedHold !== true;
  // An absent setting must not stay as it was.
  const changes = {
    ...cleared,
    ...settings,
    metageneration: meta.metageneration + 1,
    updated: call.now.toISOString(),
    ...(isReleased ? { retainedFrom: call.now.toISOString() } : {}),
  } as Partial<ObjectMeta>;
  bucket.objects.update(meta, changes);
  const changed = bucket.generation(meta.key, meta.versionId) ?? meta;
  return { json: resourceOf(call, bucket, changed) };
}
