import { parseConfig } from "./config.ts";
import type { ConfigSchema, ConfigValues } from "./config.ts";
import type { FileRestorer } from "./file-restorer.ts";
import type { DataCheck, ObjectInspector, SelfCheck, SnapshotInspector } from "./inspection.ts";
import type { Logger } from "./logger.ts";
import type { ObjectStore } from "./object-store.ts";
import type { CopyingSnapshotter } from "./snapshot-copier.ts";
import type { VolumeSnapshotter } from "./volume-snapshotter.ts";

/** What an implementation is given at open beside its configuration. */
export interface OpenContext {
  readonly log: Logger;
  /** The process environment, handed down so that nothing reads or changes it elsewhere. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** An opened object store with the optional interfaces that it implements. */
export type OpenedObjectStore = ObjectStore & Partial<ObjectInspector> & Partial<SelfCheck> & Partial<DataCheck>;

/** An opened snapshotter with the optional interfaces that it implements. */
export type OpenedVolumeSnapshotter = VolumeSnapshotter &
  Partial<SnapshotInspector> &
  Partial<FileRestorer> &
  Partial<SelfCheck> &
  Partial<DataCheck> &
  Partial<CopyingSnapshotter>;

/** An implementation that an executable registers: opened, not initialised, so nothing is ever half-initialised. */
export type Definition = ObjectStoreDefinition | VolumeSnapshotterDefinition;

/** Registers an ObjectStore. */
export interface ObjectStoreDefinition {
  readonly kind: "ObjectStore";
  /** `<DNS-1123 subdomain>/<name>`, for example `velero.io/aws`. */
  readonly name: string;
  readonly config: ConfigSchema;
  /** Throws `invalid-config` or `denied` when the location cannot work. Makes no request that a first call makes anyway. */
  open(config: Readonly<Record<string, string>>, context: OpenContext): Promise<OpenedObjectStore>;
}

/** Registers a VolumeSnapshotter. */
export interface VolumeSnapshotterDefinition {
  readonly kind: "VolumeSnapshotter";
  /** `<DNS-1123 subdomain>/<name>`, for example `velero.io/aws`. */
  readonly name: string;
  readonly config: ConfigSchema;
  /** Throws `invalid-config` or `denied` when the location cannot work. */
  open(config: Readonly<Record<string, string>>, context: OpenContext): Promise<OpenedVolumeSnapshotter>;
}

/** Builds an ObjectStore definition whose open receives the parsed configuration. */
export function defineObjectStore<const S extends ConfigSchema>(definition: {
  readonly name: string;
  readonly config: S;
  open(config: ConfigValues<S>, context: OpenContext): Promise<OpenedObjectStore>;
}): ObjectStoreDefinition {
  return { kind: "ObjectStore", name: definition.name, config: definition.config, open: opener(definition) };
}

/** Builds a VolumeSnapshotter definition whose open receives the parsed configuration. */
export function defineVolumeSnapshotter<const S extends ConfigSchema>(definition: {
  readonly name: string;
  readonly config: S;
  open(config: ConfigValues<S>, context: OpenContext): Promise<OpenedVolumeSnapshotter>;
}): VolumeSnapshotterDefinition {
  return { kind: "VolumeSnapshotter", name: definition.name, config: definition.config, open: opener(definition) };
}

function opener<const S extends ConfigSchema, T>(definition: {
  readonly config: S;
  open(config: ConfigValues<S>, context: OpenContext): Promise<T>;
}): (config: Readonly<Record<string, string>>, context: OpenContext) => Promise<T> {
  return async (config, context) => await definition.open(parseConfig(definition.config, config), context);
}
