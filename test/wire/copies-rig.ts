import type { Account } from "@flotilla/test/emulators";

import type { Session } from "./harness.ts";
import type { Location } from "./location.ts";
import type { ObjectRig } from "./object-rig.ts";

/** Two places of the same objects: a location, and its copies opened as a location of their own. */
export interface CopiedLocation {
  readonly location: Location;
  readonly copy: Location;
  /** The warnings and errors that the server would count, about this location's copies. */
  readonly warnings: () => readonly string[];
}

/** Enough for each test of a file to have one of its own: losing it must not reach the others. */
export const losableRegions: readonly string[] = [
  "us-east-1",
  "us-west-2",
  "eu-west-1",
  "eu-central-1",
  "ap-south-1",
  "sa-east-1",
  "ca-central-1",
  "eu-north-1",
  "eu-west-3",
];

/** How a location and its copies differ from the usual. */
export interface CopiedOptions {
  /** Of the target's query, beside its region. */
  readonly query?: Readonly<Record<string, string>>;
  /** Path of the target. */
  readonly path?: string;
  readonly config?: Readonly<Record<string, string>>;
  /** Keys of the copies as a location of their own. */
  readonly copyConfig?: Readonly<Record<string, string>>;
  readonly account?: Account;
  readonly session?: Session;
  readonly region?: string;
  readonly copyRegion?: string;
  readonly copyIs?: "made" | "missing" | "there";
  /** Whether the location's own bucket was made before. */
  readonly bucketIs?: "there";
}

/** The process that looks at copies from beside: it knows nothing of the location that they are copies of. */
const others = new WeakMap<ObjectRig, Session>();

/** Opens a location in one region whose objects are copied to another. */
export async function openCopied(rig: ObjectRig, name: string, options: CopiedOptions = {}): Promise<CopiedLocation> {
  const { region = "us-east-1", copyRegion = "eu-west-1", session = rig.session, account } = options;
  const copyName = `${name}-copy`;
  if ((options.copyIs ?? "made") === "made") await rig.createBucket(copyName, copyRegion);
  const query = new URLSearchParams({ region: copyRegion, ...options.query });
  const path = options.path === undefined ? "" : `/${options.path}`;
  const copyTo = `s3://${copyName}${path}?${query.toString()}`;
  const location = await rig.open(name, {
    config: { region, copyTo, ...options.config },
    bucketRegion: region,
    session,
    ...(account === undefined ? {} : { account }),
    ...(options.bucketIs === undefined ? {} : { bucketIs: options.bucketIs }),
  });
  const beside = others.get(rig) ?? rig.start();
  others.set(rig, beside);
  const copyConfig = { region: copyRegion, prefix: options.path ?? "", ...options.copyConfig };
  const copy = await rig.open(copyName, { config: copyConfig, bucketIs: "there", session: beside });
  return {
    location,
    copy,
    warnings: () =>
      session.lines
        .filter(({ level }) => level === "warn" || level === "error")
        .map((line) => JSON.stringify(line))
        .filter((line) => line.includes(copyName)),
  };
}
