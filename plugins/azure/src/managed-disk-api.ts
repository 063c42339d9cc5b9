import type { Disk, Snapshot } from "@azure/arm-compute";
import type { Call } from "@flotilla/sdk/plugin";
import type { ArmOperation } from "./arm-operation.ts";
import type { ArmSession } from "./arm-session.ts";
import type { ComputeId, EncryptionSetId, Place } from "./managed-disk-ids.ts";
import type { DiskTypes } from "./managed-disk-types.ts";
import { regionName } from "./region-name.ts";

/** What remains of a request that ARM goes on with. */
export type Operation = Pick<ArmOperation, "look" | "status">;

/** What a disk needs that is encrypted with a customer's key. */
export const encryptionSetPermission = "Microsoft.Compute/diskEncryptionSets/read";

/** The requests to Azure Resource Manager that snapshots need. Every failure is a PluginError. */
export interface ManagedDiskApi {
  /** An unknown disk throws `not-found`. */
  getDisk(disk: ComputeId, call: Call): Promise<Disk>;
  /** An unknown snapshot throws `not-found`. */
  getSnapshot(snapshot: ComputeId, call: Call): Promise<Snapshot>;
  /** Starts a snapshot; repeatable, since the name is the caller's. */
  createSnapshot(snapshot: ComputeId, content: Snapshot, call: Call): Promise<Operation>;
  /** Starts a copy of a snapshot of another region; repeatable, since the name is the caller's. */
  copySnapshot(copy: ComputeId, content: Snapshot, call: Call): Promise<Operation>;
  /** Starts a disk; repeatable, since the name is the caller's. */
  createDisk(disk: ComputeId, content: Disk, call: Call): Promise<Operation>;
  /** Status 204 says that there was none; so does a `not-found`. */
  delete(id: ComputeId, call: Call): Promise<Operation>;
  /** Looks for a disk encryption set as a new disk does that is encrypted with its key. */
  readEncryptionSet(set: EncryptionSetId, call: Call): Promise<void>;
  /** The ids of the disk encryption sets of the disks there, each once. */
  encryptionSetsIn(place: Place, call: Call): Promise<readonly string[]>;
  /** The types of disks that a region has, with the zones of each. */
  diskTypesIn(subscription: string, region: string, call: Call): Promise<DiskTypes>;
  /** All snapshots there. */
  snapshotsIn(place: Place, call: Call): Promise<readonly Snapshot[]>;
  /** The region of any disk there; undefined where there is none. */
  regionIn(place: Place, call: Call): Promise<string | undefined>;
}

/** Azure Resource Manager itself. */
export class ArmManagedDiskApi implements ManagedDiskApi {
  readonly #session: ArmSession;

  constructor(session: ArmSession) {
    this.#session = session;
  }

  async getDisk(disk: ComputeId, call: Call): Promise<Disk> {
    const subject = nameInWords(disk);
    const attempt = { action: `read ${subject}`, permission: permissionOn(disk, "read"), subject };
    return await this.#session.run(disk.subscription, attempt, call, async ({ disks }, options) =>
      placed(await disks.get(disk.resourceGroup, disk.name, options)),
    );
  }

  async getSnapshot(snapshot: ComputeId, call: Call): Promise<Snapshot> {
    const subject = nameInWords(snapshot);
    const attempt = { action: `read ${subject}`, permission: permissionOn(snapshot, "read"), subject };
    return await this.#session.run(snapshot.subscription, attempt, call, async ({ snapshots }, options) =>
      placed(await snapshots.get(snapshot.resourceGroup, snapshot.name, options)),
    );
  }

  async createSnapshot(snapshot: ComputeId, content: Snapshot, call: Call): Promise<Operation> {
    const permission = `${permissionOn(snapshot, "write")} and Microsoft.Compute/disks/beginGetAccess/action`;
    return await this.#putSnapshot(snapshot, content, permission, call);
  }

  async copySnapshot(copy: ComputeId, content: Snapshot, call: Call): Promise<Operation> {
    const permission = `${permissionOn(copy, "write")} and, where the origin is, Microsoft.Compute/snapshots/read`;
    return await this.#putSnapshot(copy, content, permission, call);
  }

  async #putSnapshot(snapshot: ComputeId, content: Snapshot, permission: string, call: Call): Promise<Operation> {
    const { subscription, resourceGroup, name } = snapshot;
    const attempt = { action: `create ${nameInWords(snapshot)}`, permission };
    return await this.#session.start("PUT", subscription, attempt, call, ({ snapshots }, options) =>
      snapshots.createOrUpdate(resourceGroup, name, content, options),
    );
  }

  async createDisk(disk: ComputeId, content: Disk, call: Call): Promise<Operation> {
    const { subscription, resourceGroup, name } = disk;
    const isKeyed = content.encryption?.diskEncryptionSetId !== undefined;
    const permission = [
      permissionOn(disk, "write"),
      "Microsoft.Compute/snapshots/read",
      ...(isKeyed ? [encryptionSetPermission] : []),
    ].join(" and ");
    const attempt = { action: `create ${nameInWords(disk)}`, permission };
    return await this.#session.start("PUT", subscription, attempt, call, ({ disks }, options) =>
      disks.createOrUpdate(resourceGroup, name, content, options),
    );
  }

  async delete(id: ComputeId, call: Call): Promise<Operation> {
    const { subscription, resourceGroup, name } = id;
    const subject = nameInWords(id);
    const attempt = { action: `delete ${subject}`, permission: permissionOn(id, "delete"), subject };
    return await this.#session.start("DELETE", subscription, attempt, call, (client, options) =>
      client[id.type].delete(resourceGroup, name, options),
    );
  }

  async readEncryptionSet({ subscription, resourceGroup, name }: EncryptionSetId, call: Call): Promise<void> {
    const subject = `disk encryption set "${name}" in resource group "${resourceGroup}" of subscription ${subscription}`;
    const attempt = { action: `read ${subject}`, permission: encryptionSetPermission, subject };
    await this.#session.run(
      subscription,
      attempt,
      call,
      async ({ diskEncryptionSets }, options) => await diskEncryptionSets.get(resourceGroup, name, options),
    );
  }

  async diskTypesIn(subscription: string, region: string, call: Call): Promise<DiskTypes> {
    const attempt = {
      action: `list the disk types of region ${region} in subscription ${subscription}`,
      permission: "Microsoft.Compute/skus/read",
    };
    return await this.#session.run(subscription, attempt, call, async ({ resourceSkus }, options) => {
      const types = new Map<string, readonly string[]>();
      const skus = resourceSkus.list({ ...options, filter: `location eq '${region}'` });
      for await (const { resourceType, name, locationInfo = [], restrictions = [] } of skus) {
        // Some are listed for subscriptions that may not use them.
        const isClosed = restrictions.some(({ type }) => type === "Location");
        if (resourceType !== "disks" || name === undefined || isClosed) continue;
        types.set(name, [...new Set(locationInfo.flatMap(({ zones = [] }) => zones))].sort());
      }
      return types;
    });
  }

  async snapshotsIn({ subscription, resourceGroup }: Place, call: Call): Promise<readonly Snapshot[]> {
    const attempt = {
      action: `list the snapshots of resource group "${resourceGroup}" of subscription ${subscription}`,
      permission: "Microsoft.Compute/snapshots/read",
    };
    return await this.#session.run(
      subscription,
      attempt,
      call,
      async ({ snapshots }, options) =>
        await Array.fromAsync(snapshots.listByResourceGroup(resourceGroup, options), placed<Snapshot>),
    );
  }

  async encryptionSetsIn(place: Place, call: Call): Promise<readonly string[]> {
    return await this.#list(place, call, async (disks) => {
      const sets = new Map<string, string>();
      for await (const { encryption } of disks)
        if (encryption?.diskEncryptionSetId !== undefined)
          sets.set(encryption.diskEncryptionSetId.toLowerCase(), encryption.diskEncryptionSetId);
      return [...sets.values()];
    });
  }

  async regionIn(place: Place, call: Call): Promise<string | undefined> {
    return await this.#list(place, call, async (disks) => {
      for await (const disk of disks) return placed(disk).location;
      return undefined;
    });
  }

  async #list<T>(
    { subscription, resourceGroup }: Place,
    call: Call,
    read: (disks: AsyncIterable<Disk>) => Promise<T>,
  ): Promise<T> {
    const attempt = {
      action: `list the disks of resource group "${resourceGroup}"`,
      permission: "Microsoft.Compute/disks/read",
    };
    return await this.#session.run(
      subscription,
      attempt,
      call,
      async ({ disks }, options) => await read(disks.listByResourceGroup(resourceGroup, options)),
    );
  }
}

/** With its region in the one form that is compared: what made it may have given another. */
function placed<T extends Disk | Snapshot>(found: T): T {
  return { ...found, location: regionName(found.location) };
}

/** A disk or snapshot as messages name it. */
export function nameInWords({ type, name, resourceGroup, subscription }: ComputeId): string {
  const word = type === "disks" ? "disk" : "snapshot";
  return `${word} "${name}" in resource group "${resourceGroup}" of subscription ${subscription}`;
}

function permissionOn({ type }: ComputeId, action: "read" | "write" | "delete"): string {
  return `Microsoft.Compute/${type}/${action}`;
}
