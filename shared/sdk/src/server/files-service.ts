import { timestampFromDate } from "@bufbuild/protobuf/wkt";

import { PluginError } from "../plugin/index.ts";
import type { OpenedVolumeSnapshotter } from "../plugin/index.ts";
import { Files } from "../wire/index.ts";
import { serverStreamHandler } from "./handlers.ts";
import type { Handler, ServiceContext } from "./handlers.ts";
import type { SnapshotLocations } from "./snapshot-locations.ts";

const anything = { backup: "", namespace: "", pod: "", volume: "" };

/** flotilla.v1 Files: snapshots of files that the server itself wrote, as far as the newest opened location can. */
export function filesHandlers(snapshots: SnapshotLocations, context: ServiceContext): readonly Handler[] {
  const { method } = Files;
  const opened = async (plugin: string): Promise<OpenedVolumeSnapshotter> =>
    await snapshots.newest(plugin, async (snapshotter) => await Promise.resolve(snapshotter));
  return [
    serverStreamHandler(method.listFileSnapshots, context, async function* ({ plugin, selection }, call) {
      const snapshotter = await opened(plugin);
      if (snapshotter.listFileSnapshots === undefined) throw cannot(plugin);
      for await (const { takenAt, ...snapshot } of snapshotter.listFileSnapshots(selection ?? anything, call))
        yield { ...snapshot, takenAt: timestampFromDate(takenAt) };
    }),
    serverStreamHandler(method.restoreFiles, context, async function* ({ plugin, snapshotId, folder }, call) {
      const snapshotter = await opened(plugin);
      if (snapshotter.restoreFiles === undefined) throw cannot(plugin);
      yield* snapshotter.restoreFiles({ snapshotId, folder }, call);
    }),
  ];
}

function cannot(plugin: string): PluginError {
  return new PluginError(`the plugin ${plugin} cannot restore files`, { kind: "unsupported" });
}
