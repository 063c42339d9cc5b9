import type { Call, PersistentVolume } from "@flotilla/sdk/plugin";
import { restorePlace, withPlace, zonesOf } from "@flotilla/sdk/volumes";
import type { RestorePlaces } from "@flotilla/sdk/volumes";
import type { EbsApi } from "./ebs-api.ts";

/** Where a location restores volumes. */
export type EbsPlaceOptions = Pick<RestorePlaces, "zoneMap" | "defaultZone" | "region"> & {
  readonly api: Pick<EbsApi, "describeVolume">;
};

const driverZoneKeys = ["topology.ebs.csi.aws.com/zone"];
// Zones of AWS, local ones too, begin with their region; what does not look like one is some other cloud's with this API.
const awsZone = /^(?:[a-z]{2}|eusc)(?:-[a-z]+)+-\d+(?:[a-z]|-.+)$/;

/** Zones of restored volumes: which one each gets, and what its PersistentVolume says of it. */
export class EbsPlaces {
  readonly #options: EbsPlaceOptions;
  /** Volumes that this location restored, with their zones. */
  readonly #restored = new Map<string, string>();

  constructor(options: EbsPlaceOptions) {
    this.#options = options;
  }

  /** The zone for a volume, with a line in the log where it is another than the recorded one. */
  choose(snapshotId: string, recordedZone: string, call: Call): string {
    const { zoneMap, defaultZone, region } = this.#options;
    const isHere = (zone: string): boolean => this.#isHere(zone);
    const { zone, reason } = restorePlace(snapshotId, recordedZone, { zoneMap, defaultZone, region, isHere });
    if (reason !== "")
      call.log.info("the volume is restored in another zone than the recorded one", {
        snapshotId,
        recordedZone,
        zone,
        key: reason,
      });
    return zone;
  }

  /** Remembers what was restored here. */
  learn(volumeId: string, zone: string): void {
    this.#restored.set(volumeId, zone);
  }

  /** Whether a volume was restored by this location. */
  has(volumeId: string): boolean {
    return this.#restored.has(volumeId);
  }

  /** The PersistentVolume with the zone and region of the volume, where it says another place. */
  async written(volume: PersistentVolume, volumeId: string, call: Call): Promise<PersistentVolume> {
    const said = zonesOf(volume, driverZoneKeys);
    if (said.length === 0) return volume;
    const zone = this.#restored.get(volumeId) ?? (await this.#lookedUp(volumeId, said, call));
    if (zone === undefined || (said.length === 1 && said[0] === zone)) return volume;
    call.log.info("the PersistentVolume's zone is rewritten", { volumeId, from: said.join(", "), zone });
    return withPlace(volume, { zones: [zone], region: this.#options.region }, driverZoneKeys);
  }

  /** Another process may have restored it; only a PersistentVolume that cannot be right here is worth a request. */
  async #lookedUp(volumeId: string, said: readonly string[], call: Call): Promise<string | undefined> {
    if (said.every((zone) => this.#isHere(zone) && !this.#options.zoneMap.has(zone))) return undefined;
    return (await this.#options.api.describeVolume(volumeId, call)).AvailabilityZone;
  }

  #isHere(zone: string): boolean {
    return zone.startsWith(this.#options.region) || !awsZone.test(zone);
  }
}
