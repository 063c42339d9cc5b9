import { isJsonObject } from "../plugin/index.ts";
import type { JsonObject, JsonValue, PersistentVolume } from "../plugin/index.ts";

/** A volume that a CSI driver provides. */
export interface CsiVolume {
  /** The driver's name, for example `ebs.csi.aws.com`. */
  readonly driver: string;
  readonly volumeHandle: string;
}

/** The CSI source of a PersistentVolume; undefined where it has none, or one without driver and handle. */
export function csiVolumeOf(volume: PersistentVolume): CsiVolume | undefined {
  const driver = textAt(volume, ["spec", "csi", "driver"]);
  const volumeHandle = textAt(volume, ["spec", "csi", "volumeHandle"]);
  return driver === undefined || volumeHandle === undefined ? undefined : { driver, volumeHandle };
}

/** One of the attributes that a CSI driver gave its volume (`volumeAttributes`). */
export function csiAttributeOf(volume: PersistentVolume, name: string): string | undefined {
  return textAt(volume, ["spec", "csi", "volumeAttributes", name]);
}

/** A field of an in-tree source (`awsElasticBlockStore`, `volumeID`); undefined where the source is of another kind. */
export function inTreeFieldOf(volume: PersistentVolume, source: string, field: string): string | undefined {
  return textAt(volume, ["spec", source, field]);
}

/** Whether the PersistentVolume has this source, whatever is in it. */
export function hasSource(volume: PersistentVolume, source: string): boolean {
  return isJsonObject(valueAt(volume, ["spec", source]));
}

/** A label of the PersistentVolume. */
export function labelOf(volume: PersistentVolume, label: string): string | undefined {
  return textAt(volume, ["metadata", "labels", label]);
}

/** The same PersistentVolume with another CSI volume behind it. */
export function withCsiVolumeHandle(volume: PersistentVolume, volumeHandle: string): PersistentVolume {
  return withField(volume, ["spec", "csi", "volumeHandle"], volumeHandle);
}

/** The same PersistentVolume with another value in a field of its in-tree source. */
export function withInTreeField(
  volume: PersistentVolume,
  source: string,
  field: string,
  value: string,
): PersistentVolume {
  return withField(volume, ["spec", source, field], value);
}

/** The same PersistentVolume with a label set. */
export function withLabel(volume: PersistentVolume, label: string, value: string): PersistentVolume {
  return withField(volume, ["metadata", "labels", label], value);
}

/** The same object with one field set; what lies beside the path is kept as it is, unknown or not. */
export function withField(object: JsonObject, path: readonly string[], value: JsonValue): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return object;
  if (rest.length === 0) return { ...object, [name]: value };
  const inner = Object.hasOwn(object, name) ? object[name] : undefined;
  return { ...object, [name]: withField(isJsonObject(inner) ? inner : {}, rest, value) };
}

function textAt(object: JsonObject, path: readonly string[]): string | undefined {
  const value = valueAt(object, path);
  return typeof value === "string" ? value : undefined;
}

function valueAt(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}
