import type { Call } from "./call.ts";

/** Which snapshots of files are meant, by what the server's own backups of pod volumes say; an empty field matches all. */
export interface FileSnapshotSelection {
  readonly backup: string;
  readonly namespace: string;
  readonly pod: string;
  readonly volume: string;
}

/** A snapshot of the files of one volume of one pod. */
export interface FileSnapshot extends FileSnapshotSelection {
  readonly snapshotId: string;
  readonly takenAt: Date;
  /** Of the claim behind the volume; empty where the volume had none. */
  readonly pvcUid: string;
}

/** How far a restore is, and in the last message how it ended. */
export interface RestoreFilesProgress {
  readonly files: bigint;
  readonly bytes: bigint;
  /** 0 where it is not known yet. */
  readonly totalBytes: bigint;
  /** True in the last message, after the folder has appeared under its name. */
  readonly done: boolean;
  /** What could not be restored as it was; empty where all was. */
  readonly loss: string;
}

/** A snapshotter that reads what the server's own pod volume backups wrote (flotilla.v1 Files). */
export interface FileRestorer {
  /** The snapshots that match, newest first. */
  listFileSnapshots(selection: FileSnapshotSelection, call: Call): AsyncIterable<FileSnapshot>;

  /**
   * Restores a snapshot into a folder that is absent or empty: whole or not at all. An unknown snapshot throws
   * `not-found`, a folder with something in it `conflict`.
   */
  restoreFiles(
    request: { readonly snapshotId: string; readonly folder: string },
    call: Call,
  ): AsyncIterable<RestoreFilesProgress>;
}
