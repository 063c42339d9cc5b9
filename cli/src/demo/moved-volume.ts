import { isJsonObject, PluginError } from "@flotilla/sdk/plugin";
import type { JsonValue, PersistentVolume } from "@flotilla/sdk/plugin";

import { zoneOf } from "../backup-layout/persistent-volume-fields.ts";

/** What a PersistentVolume became in another region. */
export interface Move {
  readonly before: PersistentVolume;
  readonly after: PersistentVolume;
  /** The volume that was made from the copy of the snapshot. */
  readonly volumeId: string;
  readonly from: string;
  readonly to: string;
}

/** One text that differs. */
interface Difference {
  readonly path: string;
  readonly before: JsonValue | undefined;
  readonly after: JsonValue | undefined;
}

/**
 * Compares a PersistentVolume with what it was in the other region: it must name the new volume and places in the new
 * region, and be the same in everything else. Answers what changed.
 */
export function compareMoved({ before, after, volumeId, from, to }: Move): readonly string[] {
  const differences = differencesOf(before, after);
  const wrong = differences.filter((one) => !namesVolume(one, volumeId) && !changesPlace(one, from, to));
  const zone = zoneOf(after);
  if (wrong.length > 0) throw mismatch(`${printAll(wrong)}, which is neither its volume nor its place`);
  if (!differences.some((one) => namesVolume(one, volumeId))) throw mismatch(`it does not name the volume ${volumeId}`);
  if (zoneOf(before) !== "" && !zone.includes(to)) throw mismatch(`it says that it is in the zone "${zone}"`);
  return differences.map(print);
}

function differencesOf(before: JsonValue | undefined, after: JsonValue | undefined, path = ""): readonly Difference[] {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    const [old, now] = [entriesOf(before), entriesOf(after)];
    const names = new Set([...old.keys(), ...now.keys()]);
    return [...names].flatMap((name) => differencesOf(old.get(name), now.get(name), `${path}.${name}`));
  }
  return before === after ? [] : [{ path: path.slice(1), before, after }];
}

function isContainer(value: JsonValue | undefined): value is JsonValue & object {
  return Array.isArray(value) || (value !== undefined && isJsonObject(value));
}

function entriesOf(value: JsonValue & object): ReadonlyMap<string, JsonValue> {
  return new Map<string, JsonValue>(Object.entries(value));
}

function namesVolume({ after }: Difference, volumeId: string): boolean {
  return typeof after === "string" && after.endsWith(volumeId);
}

function changesPlace({ before, after }: Difference, from: string, to: string): boolean {
  return typeof before === "string" && typeof after === "string" && before.includes(from) && after.includes(to);
}

function print({ path, before, after }: Difference): string {
  return `${path}: ${JSON.stringify(before)} is ${JSON.stringify(after)}`;
}

function printAll(differences: readonly Difference[]): string {
  return differences.map(print).join("; ");
}

function mismatch(what: string): PluginError {
  return new PluginError(`the restored PersistentVolume is not what was backed up: ${what}`, { kind: "corrupt" });
}
