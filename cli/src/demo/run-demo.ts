import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { zoneOf } from "../backup-layout/persistent-volume-fields.ts";
import { prepareSource } from "../commands/backup-source.ts";
import type { CliContext, Report } from "../context.ts";
import { Progress } from "../output/progress.ts";
import { Session } from "../session.ts";
import type { CommonFlags, OpenedStore, OpenedVolumes, RunFlags } from "../session.ts";
import { goodBackupSteps } from "./good-backup-steps.ts";
import { damageFile } from "./damage.ts";
import type { Damage } from "./damage.ts";
import type { DemoCloud, DemoLocations, DemoVolume } from "./demo-cloud.ts";
import { damagedBackupSteps } from "./damaged-backup-steps.ts";
import { lostRegionSteps } from "./lost-region-steps.ts";
import { restoreSteps } from "./restore-steps.ts";
import { StandIns } from "./stand-ins.ts";
import { StateFolder } from "./state-folder.ts";
import { Steps } from "./steps.ts";

/** What the demo is run on. */
export interface DemoRequest {
  readonly cloud: DemoCloud;
  /** A folder of manifests or a Velero tarball. */
  readonly from: string;
  readonly state: string;
  readonly isKept: boolean;
}

/** What the steps of the demo work with. */
export interface DemoStage {
  /** How the cloud's own tools write a place of an object. */
  readonly printObject: (bucket: string, key: string) => string;
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
const copyBucket = "flotilla-demo-copies";
const prefix = "cluster-1";
// As in the cloud, a snapshot or volume takes a while: the demo has to wait for it.
const pendingMs = 1500;

/** Backs up, damages, catches and restores, against stand-ins of its own. Never throws for a step that fails: it reports. */
export async function runDemo(context: CliContext, flags: RunFlags, request: DemoRequest): Promise<Report> {
  const quietContext = { ...context, env: withoutOwn(context.env, request.cloud) };
  const steps = new Steps(new Progress(context, { isQuiet: flags.quiet }));
  await using folder = await StateFolder.take(request.state, { isKept: request.isKept });
  try {
    await perform(quietContext, flags, { ...request, state: folder.path }, steps);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!steps.hasFailed) throw error;
  }
  const state = request.isKept ? folder.path : null;
  const report = steps.report({ provider: request.cloud.provider, input: request.from, state });
  const note = state === null ? "its files are removed again; --keep leaves them\n" : `its files are in ${state}\n`;
  return { ...report, text: `${report.text}${note}` };
}

async function perform(context: CliContext, flags: RunFlags, request: DemoRequest, steps: Steps): Promise<void> {
  const { cloud, from, state } = request;
  const found = await steps.run(
    "read the input",
    async () => await readVolumes(context, cloud, from, state),
    (volumes) => ({ where: from, detail: `${volumes.length} volumes of ${cloud.provider} in its PersistentVolumes` }),
  );
  const { path, args } = cloud.standIns({ state, bucket, copyBucket, pendingMs });
  await using standIns = await steps.run(
    `start stand-ins of ${cloud.services}`,
    async () => await StandIns.start(context, { path, args: [...args, ...found.flatMap((volume) => volume.args)] }),
    ({ facts }) => ({ where: cloud.printEndpoints(facts) }),
  );
  const located = cloud.locate(standIns.facts);
  const flagsOf = flagsIn(flags, request);
  await using session = new Session(context, await flagsOf(located));
  const { store, volumes } = await steps.run(
    "load the plugin as the server does",
    async () => ({ store: await session.openStore(), volumes: await session.openRequiredVolumes() }),
    ({ store }) => ({ where: store.client.command, detail: `${store.client.name} for objects and volumes` }),
  );
  const damage = async (key: string) => await damageFile(await cloud.objectFile(state, bucket, key, standIns.facts));
  const printObject = (name: string, key: string): string => cloud.printObject(name, key);
  const stage = { printObject, from, state, steps, session, store, volumes, damage };
  const good = await goodBackupSteps(stage);
  await damagedBackupSteps(stage);
  await restoreSteps(stage, good);
  const { regions } = cloud;
  if (regions === undefined) return;
  // Of its own prefix: what the damage above shows is a location without copies.
  const place = { prefix: "cluster-2" };
  const { facts } = standIns;
  const changed = { copied: regions.copied(facts, copyBucket), elsewhere: regions.locateElsewhere(facts) };
  await using copied = new Session(context, await flagsOf({ ...place, ...withChanges(located, changed.copied) }));
  await using elsewhere = new Session(
    context,
    await flagsOf({ ...place, ...changed.elsewhere, bucket: copyBucket, name: "credentials-elsewhere" }),
  );
  const lose = async (): Promise<void> => await standIns.tell(`lose-region ${regions.lost}`);
  await lostRegionSteps({ ...stage, regions, copied, elsewhere, lose });
}

/** The volumes that the input's PersistentVolumes speak of; the stand-ins have to have them. */
async function readVolumes(
  context: CliContext,
  cloud: DemoCloud,
  from: string,
  workFolder: string,
): Promise<readonly DemoVolume[]> {
  const { resources } = await prepareSource(from, { workFolder, now: context.now(), signal: context.signal });
  const found = resources.flatMap(({ kind, object }) =>
    kind === "PersistentVolume" ? (cloud.volumeOf(object, zoneOf(object)) ?? []) : [],
  );
  return [...new Map(found.map((volume) => [volume.id, volume])).values()];
}

/** One of the demo's pairs of locations. */
interface Place extends DemoLocations {
  readonly bucket?: string;
  readonly prefix?: string;
  /** Of the credentials file. */
  readonly name?: string;
}

/** Makes the flags of a pair of locations. */
function flagsIn(flags: RunFlags, { cloud, state }: DemoRequest): (place: Place) => Promise<CommonFlags> {
  const pairs = (keys: Readonly<Record<string, string>>): string[] =>
    Object.entries(keys).map(([key, value]) => `${key}=${value}`);
  return async (place) => {
    const credentialsFile = join(state, place.name ?? "credentials");
    await writeFile(credentialsFile, place.credentials, { mode: 0o600 });
    return {
      ...flags,
      provider: cloud.implementation ?? cloud.provider,
      bucket: place.bucket ?? bucket,
      prefix: place.prefix ?? prefix,
      credentialsFile,
      config: pairs(place.config),
      volumeConfig: pairs(place.volumeConfig),
    };
  };
}

function withChanges(located: DemoLocations, changes: Omit<DemoLocations, "credentials">): DemoLocations {
  return {
    ...located,
    config: { ...located.config, ...changes.config },
    volumeConfig: { ...located.volumeConfig, ...changes.volumeConfig },
  };
}

/** The user's own profile, region and endpoints have no say in the demo. */
function withoutOwn(env: CliContext["env"], cloud: DemoCloud): CliContext["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !cloud.ownsVariable(name)));
}
