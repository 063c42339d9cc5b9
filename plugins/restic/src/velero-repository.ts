import type { FileSnapshot, FileSnapshotSelection } from "@flotilla/sdk/plugin";

import type { ListedSnapshot } from "./snapshot-list.ts";

/**
 * What Velero uses where nobody gave its Secret velero-repo-credentials another password. It stands in Velero's source:
 * no secret.
 */
export const veleroDefaultPassword = "static-passw0rd";

/** The snapshots that Velero's own backup of pod volumes wrote and that match, newest first. */
export function veleroSnapshots(
  snapshots: readonly ListedSnapshot[],
  selection: FileSnapshotSelection,
): readonly FileSnapshot[] {
  return snapshots
    .flatMap((snapshot) => readVeleroTags(snapshot) ?? [])
    .filter((snapshot) => matches(snapshot, selection))
    .toSorted((a, b) => b.takenAt.getTime() - a.takenAt.getTime());
}

/** Velero writes its tags as they are: `backup`, `backup-uid`, `pod`, `pod-uid`, `ns`, `volume` and `pvc-uid`. */
function readVeleroTags({ id, startedMs, tags }: ListedSnapshot): FileSnapshot | undefined {
  const values = new Map(
    tags.map((tag) => {
      const cut = tag.indexOf("=");
      return [tag.slice(0, Math.max(cut, 0)), tag.slice(cut + 1)] as const;
    }),
  );
  const [backup, namespace, pod, volume] = ["backup", "ns", "pod", "volume"].map((name) => values.get(name));
  if (backup === undefined || namespace === undefined || pod === undefined || volume === undefined) return undefined;
  const pvcUid = values.get("pvc-uid") ?? "";
  return { snapshotId: id, takenAt: new Date(startedMs), backup, namespace, pod, volume, pvcUid };
}

function matches(snapshot: FileSnapshotSelection, selection: FileSnapshotSelection): boolean {
  const fields = ["backup", "namespace", "pod", "volume"] as const;
  return fields.every((field) => selection[field] === "" || selection[field] === snapshot[field]);
}
