export { backoffMs } from "./backoff.ts";
export type { Backoff } from "./backoff.ts";
export { blockBytes, giveBlock, isBlock, takeBlock } from "./blocks.ts";
export { BlockQueue } from "./block-queue.ts";
export type { Call } from "./call.ts";
export { systemClock } from "./clock.ts";
export type { Clock, ClockTimer } from "./clock.ts";
export { copyKeys, parseCopyRegions, parseZoneMap } from "./copy-keys.ts";
export type { RegionTarget } from "./copy-keys.ts";
export { ignoredKeys, parseConfig } from "./config.ts";
export type { ConfigKey, ConfigSchema, ConfigValues } from "./config.ts";
export { bool, byteSize, custom, duration, oneOf, text, url } from "./config-keys.ts";
export type { KeyOptions } from "./config-keys.ts";
export { copyTargets, findingsOf, requireOtherBuckets } from "./copy-target.ts";
export type { CopyMode, CopyTarget, CopyTargetForm } from "./copy-target.ts";
export { dataSubsetForms, isDataSubset } from "./data-subset.ts";
export { defineObjectStore, defineVolumeSnapshotter } from "./definition.ts";
export type {
  Definition,
  ObjectStoreDefinition,
  OpenContext,
  OpenedObjectStore,
  OpenedVolumeSnapshotter,
  VolumeSnapshotterDefinition,
} from "./definition.ts";
export type { FileRestorer, FileSnapshot, FileSnapshotSelection, RestoreFilesProgress } from "./file-restorer.ts";
export { advice, failure, ok, tried, withoutEffect } from "./findings.ts";
export type {
  DataCheck,
  Finding,
  ObjectDescription,
  ObjectInspector,
  RecordedChecksum,
  SelfCheck,
  SnapshotDescription,
  SnapshotInspector,
} from "./inspection.ts";
export { parseMemoryLimit, parseObjectTags, parseSecretReference } from "./location-keys.ts";
export type { ObjectTag, SecretReference } from "./location-keys.ts";
export { silentLogger } from "./logger.ts";
export type { LogFields, Logger } from "./logger.ts";
export { MadeOnce } from "./made-once.ts";
export { ownDomain } from "./names.ts";
export type { ListQuery, ObjectRef, ObjectStore, PrefixQuery } from "./object-store.ts";
export { isJsonObject, parseJson, printJson } from "./persistent-volume.ts";
export type { Permission } from "./permission.ts";
export type { JsonObject, JsonValue, PersistentVolume, RawNumber } from "./persistent-volume.ts";
export { isKind, PluginError } from "./plugin-error.ts";
export type { PluginErrorKind, PluginErrorOptions } from "./plugin-error.ts";
export { defaultTries, isTransient, pauseAfter, withRetry } from "./retry.ts";
export type { RetryPolicy } from "./retry.ts";
export type {
  CopyingSnapshotter,
  CopyQuery,
  CopyRef,
  CopyRegion,
  OriginQuery,
  SnapshotCopier,
  SnapshotCopy,
  SnapshotOrigin,
} from "./snapshot-copier.ts";
export type {
  SnapshotRequest,
  VolumeFromSnapshot,
  VolumeInfo,
  VolumeRef,
  VolumeSnapshotter,
} from "./volume-snapshotter.ts";
export { foldersFinding } from "./top-level-folders.ts";
export { within } from "./within.ts";
