import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { zoneOf } from "../backup-layout/persistent-volume-fields.ts";
import { prepareSource } from "../commands/backup-source.ts";
import type { CliContext, Report } from "../context.ts";
import { Progress } from "../output/progress.ts";
import { Session } from "../session.ts";
import type { CommonFlags, OpenedStore, OpenedVolumes, RunFlags } from "../session.ts";
import { ebsTypeOf, ebsVolumeIdOf, sizeGiBOf } from "./ebs-volume.ts";
import { goodBackupSteps } from "./good-backup-steps.ts";
import { damageObject } from "./damage.ts";
import type { Damage } from "./damage.ts";
import { damagedBackupSteps } from "./damaged-backup-steps.ts";
import { restoreSteps } from "./restore-steps.ts";
import { StandIns } from "./stand-ins.ts";
import type { StandInAddress, StandInVolume } from "./stand-ins.ts";
import { StateFolder } from "./state-folder.ts";
import { Steps } from "./steps.ts";

/** What the demo is run on. */
export interface DemoRequest {
  /** A folder of manifests or a Velero tarball. */
  readonly from: string;
  readonly state: string;
  readonly isKept: boolean;
}

/** What the steps of the demo work with. */
export interface DemoStage {
  readonly from: string;
  readonly state: string;
  readonly steps: Steps;
  readonly session: Session;
  readonly store: OpenedStore;
  readonly volumes: OpenedVolumes;
  /** Changes a stored object behind the server's back. */
  readonly damage: (key: string) => Promise<Damage>;
}

const bucket = "flotilla-demo";
const prefix = "cluster-1";
const defaultZone = "us-east-1a";

/** Backs up, damages, catches and restores, against stand-ins of its own. Never throws for a step that fails: it reports. */
export async function runDemo(context: CliContext, flags: RunFlags, request: DemoRequest): Promise<Report> {
  const quietContext = { ...context, env: withoutAws(context.env) };
  const steps = new Steps(new Progress(context, { isQuiet: flags.quiet }));
  await using folder = await StateFolder.take(request.state, { isKept: request.isKept });
  try {
    await perform(quietContext, flags, { ...request, state: folder.path }, steps);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!steps.hasFailed) throw error;
  }
  const state = request.isKept ? folder.path : null;
  const report = steps.report({ input: request.from, state });
  const note = state === null ? "its files are removed again; --keep leaves them\n" : `its files are in ${state}\n`;
  return { ...report, text: `${report.text}${note}` };
}

async function perform(context: CliContext, flags: RunFlags, request: DemoRequest, steps: Steps): Promise<void> {
  const { from, state } = request;
  const ebs = await steps.run(
    "read the input",
    async () => await ebsVolumes(context, from, state),
    (found) => ({ where: from, detail: `${found.length} EBS volumes in its PersistentVolumes` }),
  );
  await using standIns = await steps.run(
    "start S3 and EC2 stand-ins",
    async () => await StandIns.start(context, { state, bucket, volumes: ebs }),
    ({ address }) => ({ where: `${address.s3} ${address.ec2}` }),
  );
  await using session = new Session(context, await commonFlags(flags, state, standIns.address));
  const { store, volumes } = await steps.run(
    "load the plugin as the server does",
    async () => ({ store: await session.openStore(), volumes: await session.openRequiredVolumes() }),
    ({ store }) => ({ where: store.client.command, detail: `${store.client.name} for objects and volumes` }),
  );
  const damage = async (key: string) => await damageObject(state, bucket, key);
  const stage = { from, state, steps, session, store, volumes, damage };
  const good = await goodBackupSteps(stage);
  await damagedBackupSteps(stage);
  await restoreSteps(stage, good);
}

/** The volumes that the input's PersistentVolumes speak of; the stand-in has to have them. */
async function ebsVolumes(context: CliContext, from: string, workFolder: string): Promise<readonly StandInVolume[]> {
  const { resources } = await prepareSource(from, { workFolder, now: context.now(), signal: context.signal });
  const found = resources.flatMap(({ kind, object }) => {
    const id = kind === "PersistentVolume" ? ebsVolumeIdOf(object) : undefined;
    if (id === undefined) return [];
    return { id, zone: zoneOf(object) || defaultZone, type: ebsTypeOf(object), sizeGiB: sizeGiBOf(object) };
  });
  return [...new Map(found.map((volume) => [volume.id, volume])).values()];
}

async function commonFlags(flags: RunFlags, state: string, address: StandInAddress): Promise<CommonFlags> {
  const credentialsFile = join(state, "credentials");
  const { accessKeyId, secretAccessKey, region } = address;
  const profile = `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;
  await writeFile(credentialsFile, profile, { mode: 0o600 });
  return {
    ...flags,
    provider: "aws",
    bucket,
    prefix,
    credentialsFile,
    config: [`region=${region}`, `s3Url=${address.s3}`, "s3ForcePathStyle=true"],
    volumeConfig: [`region=${region}`, `endpoint=${address.ec2}`],
  };
}

/** The user's own profile, region and endpoints have no say in the demo. */
function withoutAws(env: CliContext["env"]): CliContext["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("AWS_")));
}
