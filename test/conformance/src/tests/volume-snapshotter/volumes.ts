import { fail } from "../../expect.ts";
import type { RestoreRequest, VolumeSnapshotterSession } from "../../plugin/volume-snapshotter-session.ts";
import { WireError } from "../../plugin/wire-error.ts";
import type { VolumeTarget } from "../../target/target.ts";
import type { TestContext } from "../../test-context.ts";

/** As the server adds them to a backup's labels. */
export const serverTags = { "velero.io/backup": "conformance", "velero.io/pv": "conformance-pv" };

const readyWithinMs = 30_000;

/** The volumes that may be snapshotted. */
export function volumesOf(t: TestContext): readonly VolumeTarget[] {
  return t.fact(t.volumeTarget.volumes, "volumes");
}

/** The volume that most tests use. */
export function firstVolume(t: TestContext): VolumeTarget {
  return volumesOf(t)[0] ?? fail("the target gives an empty list of volumes");
}

/** Makes a snapshot that is deleted with the test. */
export async function takeSnapshot(
  t: TestContext,
  snapshotter: VolumeSnapshotterSession,
  { volumeId, volumeAz } = firstVolume(t),
  tags: Readonly<Record<string, string>> = serverTags,
): Promise<string> {
  const snapshotId = await snapshotter.createSnapshot(volumeId, volumeAz, tags);
  t.ownSnapshot(snapshotter, snapshotId);
  return snapshotId;
}

/**
 * Restores once the snapshot is ready: a plugin may answer CreateSnapshot before it is, and the cloud refuses until then,
 * as the server's own restores, which come later, do not see.
 */
export async function restoreVolume(
  t: TestContext,
  snapshotter: VolumeSnapshotterSession,
  request: RestoreRequest,
): Promise<string> {
  let restored = "";
  let refusal: unknown;
  const tryOnce = async (): Promise<boolean> => {
    try {
      restored = await snapshotter.createVolumeFromSnapshot(request);
      return true;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      refusal = error;
      return false;
    }
  };
  await t.until(`restore ${request.snapshotId}`, tryOnce, readyWithinMs).catch((error: unknown) => {
    throw refusal ?? error;
  });
  return restored;
}
