import type { PersistentVolume } from "@flotilla/sdk/plugin";

import type { StandInFacts } from "./stand-in-facts.ts";

/** A volume of the demo's input that the stand-ins have to have. */
export interface DemoVolume {
  /** Tells it from the input's other volumes. */
  readonly id: string;
  /** The arguments that make the stand-ins' program create it. */
  readonly args: readonly string[];
}

/** What the stand-ins shall hold. */
interface StandInSettings {
  readonly state: string;
  readonly bucket: string;
  /** For clouds with {@link DemoCloud.regions}: the bucket of the other region. */
  readonly copyBucket: string;
  readonly pendingMs: number;
}

/** A program of stand-ins, which prints what it answers to as one JSON line. */
export interface StandInProgram {
  readonly path: string;
  readonly args: readonly string[];
}

/** The lines of a credentials file, and the keys of both kinds of location. */
export interface DemoLocations {
  readonly credentials: string;
  readonly config: Readonly<Record<string, string>>;
  readonly volumeConfig: Readonly<Record<string, string>>;
}

/** Two regions, of which the demo loses the first. */
export interface DemoRegions {
  readonly lost: string;
  readonly other: string;
  /** The keys beside those of {@link DemoCloud.locate} with which objects and snapshots are copied to the other region. */
  copied(facts: StandInFacts, copyBucket: string): Omit<DemoLocations, "credentials">;
  /** The locations of a cluster in the other region, on the copies. */
  locateElsewhere(facts: StandInFacts): DemoLocations;
}

/** What the demo has to know of a cloud, since it makes the volumes that it snapshots; all else it asks the plugin. */
export interface DemoCloud {
  /** As in `--provider`. */
  readonly provider: string;
  /** What its plugin registers; velero.io/ and the provider unless told. */
  readonly implementation?: string;
  /** The names of the stand-ins, for the step that starts them. */
  readonly services: string;
  /** How the cloud's own tools write a place of an object. */
  printObject(bucket: string, key: string): string;
  /** Whether a variable of the user's environment is about this cloud; such ones have no say in the demo. */
  ownsVariable(name: string): boolean;
  /** The volume behind a PersistentVolume; undefined where it is none of this cloud's. `zone` may be empty. */
  volumeOf(volume: PersistentVolume, zone: string): DemoVolume | undefined;
  standIns(settings: StandInSettings): StandInProgram;
  /** Where the stand-ins listen, for the table. */
  printEndpoints(facts: StandInFacts): string;
  locate(facts: StandInFacts): DemoLocations;
  /** A second region that keeps copies; undefined where the demo does not show its loss. */
  readonly regions?: DemoRegions;
  /** The file below the stand-in that holds an object's bytes. */
  objectFile(state: string, bucket: string, key: string, facts: StandInFacts): string | Promise<string>;
}
