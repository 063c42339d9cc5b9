import type { ObjectStore, OpenContext, VolumeSnapshotter } from "@flotilla/sdk/plugin";

import type { WrapMethod } from "./interpose.ts";

/** What one location's config holds. */
export type Config = Readonly<Record<string, string>>;

/** A plugin that is the example with one fault. */
export interface Variant {
  readonly name: string;
  /** What is wrong, as its author would put it in a changelog. */
  readonly breaks: string;
  /** The id of the test that is meant to catch it. */
  readonly caughtBy: string;
  /** Done before anything is served. */
  readonly process?: () => void;
  /** Methods in the place of the object store's own. */
  readonly objects?: (store: ObjectStore, context: OpenContext) => Partial<ObjectStore>;
  /** Methods in the place of the volume snapshotter's own. */
  readonly volumes?: (snapshotter: VolumeSnapshotter, region: string) => Partial<VolumeSnapshotter>;
  /** What is opened instead of the config that came. */
  readonly config?: (config: Config) => Config;
  /** Methods of the wire. */
  readonly wire?: WrapMethod;
  /** The sound plugin to compare with, where it is not the example: objects on the disk outlive the process. */
  readonly control?: "disk";
  /** Whether the fault is one of the store on the disk. */
  readonly isOnDisk?: boolean;
}

/** The object store with some methods replaced. */
export function withObjectMethods(store: ObjectStore, methods: Partial<ObjectStore>): ObjectStore {
  return {
    putObject: async (...args) => await store.putObject(...args),
    getObject: (...args) => store.getObject(...args),
    objectExists: async (...args) => await store.objectExists(...args),
    listObjects: async (...args) => await store.listObjects(...args),
    listCommonPrefixes: async (...args) => await store.listCommonPrefixes(...args),
    deleteObject: async (...args) => await store.deleteObject(...args),
    createSignedUrl: async (...args) => await store.createSignedUrl(...args),
    ...methods,
  };
}

/** The volume snapshotter with some methods replaced. */
export function withVolumeMethods(
  snapshotter: VolumeSnapshotter,
  methods: Partial<VolumeSnapshotter>,
): VolumeSnapshotter {
  return {
    createVolumeFromSnapshot: async (...args) => await snapshotter.createVolumeFromSnapshot(...args),
    getVolumeInfo: async (...args) => await snapshotter.getVolumeInfo(...args),
    createSnapshot: async (...args) => await snapshotter.createSnapshot(...args),
    deleteSnapshot: async (...args) => await snapshotter.deleteSnapshot(...args),
    getVolumeId: async (...args) => await snapshotter.getVolumeId(...args),
    setVolumeId: async (...args) => await snapshotter.setVolumeId(...args),
    ...methods,
  };
}
