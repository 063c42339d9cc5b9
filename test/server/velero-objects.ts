import type { Cluster } from "./cluster.ts";
import { namespace } from "./server-pod.ts";
import type { Stage } from "./stage.ts";
import { until } from "./until.ts";

/** What Velero says of a Backup or a Restore. */
export interface VeleroStatus {
  readonly phase?: string;
  readonly errors?: number;
  readonly warnings?: number;
  readonly failureReason?: string;
  readonly validationErrors?: readonly string[];
  readonly volumeSnapshotsAttempted?: number;
  readonly volumeSnapshotsCompleted?: number;
}

/** The phase, the message and the spec of a BackupStorageLocation. */
interface Location {
  readonly status?: { readonly phase?: string; readonly message?: string; readonly lastValidationTime?: string };
}

/** Reads the status of a Backup or a Restore. */
export async function statusOf(cluster: Cluster, kind: "backup" | "restore", name: string): Promise<VeleroStatus> {
  const { status = {} } = await cluster.read<{ status?: VeleroStatus }>(`${kind}.velero.io`, name, "-n", namespace);
  return status;
}

/** Waits until a location has the phase, and answers its message. */
export async function untilLocation(
  cluster: Cluster,
  name: string,
  phase: "Available" | "Unavailable",
): Promise<string> {
  let seen: Location = {};
  await until(
    `the location ${name} is ${phase}`,
    async () => {
      seen = await cluster.read<Location>("backupstoragelocation.velero.io", name, "-n", namespace);
      return seen.status?.phase === phase;
    },
    { instead: () => JSON.stringify(seen.status) },
  );
  return seen.status?.message ?? "";
}

/** The names of all objects of one of Velero's kinds. */
export async function namesOf(cluster: Cluster, kind: string): Promise<readonly string[]> {
  const { items } = await cluster.read<{ items: readonly { metadata: { name: string } }[] }>(
    `${kind}.velero.io`,
    "-n",
    namespace,
  );
  return items.map(({ metadata }) => metadata.name);
}

/** How a further location differs from the stage's own. */
interface FurtherLocation {
  readonly bucket?: string;
  readonly prefix: string;
  /** The Secret, whose key is `cloud`. */
  readonly secret?: string;
  readonly provider?: string;
  /** Beside the stage's own keys. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Makes a further location by Velero's own command. */
export async function createLocation(
  { cluster, cloud, trust }: Stage,
  name: string,
  {
    bucket = cloud.bucket,
    prefix,
    secret,
    provider = cloud.implementation ?? cloud.provider,
    config = {},
  }: FurtherLocation,
): Promise<void> {
  const pairs = Object.entries({ ...cloud.keys.config, ...config }).map(([key, value]) => `${key}=${value}`);
  const command = ["backup-location", "create", name, "--provider", provider, "--config", pairs.join(",")];
  const credential = secret === undefined ? [] : [`--credential=${secret}=cloud`];
  await cluster.velero(...command, "--bucket", bucket, "--prefix", prefix, ...credential, ...trust);
}
