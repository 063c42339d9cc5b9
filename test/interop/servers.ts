import { startAzuritePair } from "./azurite-server.ts";
import type { RunningServer } from "./child.ts";
import { startFakeGcsTarget } from "./gcs-server.ts";
import { startMinistack, startMoto } from "./python-servers.ts";
import { startAzureStandIns } from "./azure-stand-ins.ts";
import { startGcpStandIns } from "./gcp-stand-ins.ts";
import { startStandIns } from "./stand-ins.ts";
import { startVersitygw } from "./versitygw-server.ts";
import type { TargetName } from "./arguments.ts";
import type { ArmTarget, BlobTarget, Ec2Target, GceTarget, GcsTarget, S3Target } from "./spec.ts";

/** The servers of one run. */
export interface Servers extends AsyncDisposable {
  readonly s3: readonly S3Target[];
  readonly ec2: readonly Ec2Target[];
  readonly blob: readonly BlobTarget[];
  readonly arm: readonly ArmTarget[];
  readonly gcs: readonly GcsTarget[];
  readonly gce: readonly GceTarget[];
}

interface Started {
  readonly server: RunningServer;
  readonly s3?: S3Target;
  readonly ec2?: Ec2Target;
  readonly blob?: BlobTarget;
  readonly arm?: ArmTarget;
  readonly gcs?: GcsTarget;
  readonly gce?: GceTarget;
}

/** Those that are servers; a repository in a folder needs none. */
const starters: Record<Exclude<TargetName, "restic">, (dir: string) => Promise<Started>> = {
  versitygw: startVersitygw,
  ministack: startMinistack,
  moto: startMoto,
  azurite: startAzuritePair,
  "stand-ins": startStandIns,
  "azure-stand-ins": startAzureStandIns,
  "fake-gcs": startFakeGcsTarget,
  "gcp-stand-ins": startGcpStandIns,
};

/** Starts the named servers; disposing stops all of them. */
export async function startServers(names: readonly TargetName[], dir: string): Promise<Servers> {
  const servers = names.filter((name) => name !== "restic");
  const results = await Promise.allSettled(servers.map((name) => starters[name](dir)));
  const started = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async () => {
    await Promise.all(started.map(({ server }) => server.stop()));
  };
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    s3: started.flatMap(({ s3 }) => s3 ?? []),
    ec2: started.flatMap(({ ec2 }) => ec2 ?? []),
    blob: started.flatMap(({ blob }) => blob ?? []),
    arm: started.flatMap(({ arm }) => arm ?? []),
    gcs: started.flatMap(({ gcs }) => gcs ?? []),
    gce: started.flatMap(({ gce }) => gce ?? []),
    [Symbol.asyncDispose]: stop,
  };
}
