import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { ComputeManagementClient } from "@azure/arm-compute";
import type { Disk, Snapshot } from "@azure/arm-compute";
import { ClientSecretCredential } from "@azure/identity";

/** The service that is probed. */
export interface AzureArmTarget {
  readonly endpoint: string;
  readonly authorityHost: string;
  readonly caPem: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  /** With zones. */
  readonly location: string;
  readonly otherLocation: string;
}

const often = { updateIntervalInMs: 20 };

/** What a probe works with: a client, and disks and snapshots of its own. */
export class AzureArmContext {
  readonly target: AzureArmTarget;
  readonly client: ComputeManagementClient;

  constructor(target: AzureArmTarget) {
    this.target = target;
    this.client = this.newClient();
  }

  /** Makes a client, of another subscription where one is given. */
  newClient(subscriptionId = this.target.subscriptionId): ComputeManagementClient {
    const { tenantId, clientId, clientSecret, authorityHost, caPem, endpoint } = this.target;
    const tlsOptions = { ca: caPem };
    const options = { authorityHost, disableInstanceDiscovery: true, tlsOptions };
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options);
    return new ComputeManagementClient(credential, subscriptionId, {
      endpoint,
      tlsOptions,
      retryOptions: { maxRetries: 0 },
    });
  }

  get group(): string {
    return this.target.resourceGroup;
  }

  /** Returns a name that nobody else uses. */
  name(): string {
    return `probe-${randomBytes(6).toString("hex")}`;
  }

  /** Makes a disk, an empty one of 8 GiB where no other way to make it is asked for. */
  async disk(input: Partial<Disk> = {}, name = this.name()): Promise<Disk & { readonly id: string }> {
    const { location } = this.target;
    const empty = { creationData: { createOption: "Empty" }, diskSizeGB: 8 };
    const wanted = { location, ...(input.creationData === undefined ? empty : {}), ...input };
    return withId(await this.client.disks.createOrUpdate(this.group, name, wanted, often));
  }

  /** Makes a snapshot of something, and waits until its background copy is complete. */
  async snapshot(
    sourceResourceId: string,
    input: Partial<Snapshot> = {},
    name = this.name(),
  ): Promise<Snapshot & { readonly id: string }> {
    const { location } = this.target;
    const wanted = { location, creationData: { createOption: "Copy", sourceResourceId }, ...input };
    await this.client.snapshots.createOrUpdate(this.group, name, wanted, often);
    return await this.complete(name);
  }

  /** Waits until the background copy of a snapshot is complete. */
  async complete(name: string): Promise<Snapshot & { readonly id: string }> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const snapshot = await this.client.snapshots.get(this.group, name);
      if (snapshot.completionPercent === undefined || snapshot.completionPercent === 100) return withId(snapshot);
      if (Date.now() > deadline) throw new Error("it was not complete after 20 s");
      await delay(20);
    }
  }

  /** Deletes a disk and waits until it is gone. */
  async removeDisk(name: string | undefined): Promise<void> {
    await this.client.disks.delete(this.group, name ?? "", often);
  }

  /** Deletes a snapshot and waits until it is gone. */
  async removeSnapshot(name: string | undefined): Promise<void> {
    await this.client.snapshots.delete(this.group, name ?? "", often);
  }
}

function withId<T extends { readonly id?: string }>(resource: T): T & { readonly id: string } {
  const { id } = resource;
  if (id === undefined) throw new Error("the answer has no id");
  return { ...resource, id };
}
