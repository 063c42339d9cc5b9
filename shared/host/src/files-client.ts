import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { FileSnapshot, FileSnapshotSelection, RestoreFilesProgress } from "@flotilla/sdk/plugin";
import { PluginError } from "@flotilla/sdk/plugin";
import { Files } from "@flotilla/sdk/wire";
import { status } from "@grpc/grpc-js";
import type { Client } from "@grpc/grpc-js";

import { isServiceError } from "./status-error.ts";
import { serverStream } from "./wire-call.ts";
import type { ClientCall } from "./wire-call.ts";

const methods = Files.method;

/** The snapshots of files that match, newest first (flotilla.v1). */
export async function* listFileSnapshots(
  client: Client,
  request: { readonly plugin: string; readonly selection: FileSnapshotSelection },
  call?: ClientCall,
): AsyncGenerator<FileSnapshot, void, undefined> {
  const answers = translated(request.plugin, serverStream(client, methods.listFileSnapshots, request, call));
  for await (const { snapshotId, takenAt, backup, namespace, pod, volume, pvcUid } of answers) {
    const taken = takenAt === undefined ? new Date(0) : timestampDate(takenAt);
    yield { snapshotId, takenAt: taken, backup, namespace, pod, volume, pvcUid };
  }
}

/** Restores a snapshot of files into a folder of this machine (flotilla.v1). */
export async function* restoreFiles(
  client: Client,
  request: { readonly plugin: string; readonly snapshotId: string; readonly folder: string },
  call?: ClientCall,
): AsyncGenerator<RestoreFilesProgress, void, undefined> {
  const answers = translated(request.plugin, serverStream(client, methods.restoreFiles, request, call));
  for await (const { files, bytes, totalBytes, done, loss } of answers) yield { files, bytes, totalBytes, done, loss };
}

async function* translated<T>(plugin: string, answers: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* answers;
  } catch (error) {
    if (!isServiceError(error) || error.code !== status.UNIMPLEMENTED) throw error;
    throw new PluginError(`plugin ${plugin} cannot restore files`, { kind: "unsupported", cause: error });
  }
}
