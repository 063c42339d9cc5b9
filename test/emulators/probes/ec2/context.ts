import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import type { CreateVolumeCommandInput, EC2ClientConfig, Snapshot, Tag, Volume } from "@aws-sdk/client-ec2";

/** The service that is probed. */
export interface Ec2Target {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly otherRegion: string;
}

/** What a probe works with: clients of two regions, and volumes and snapshots of its own. */
export class Ec2Context {
  readonly target: Ec2Target;
  readonly client: EC2Client;
  readonly distantClient: EC2Client;
  readonly zone: string;
  readonly #clients: EC2Client[] = [];

  constructor(target: Ec2Target) {
    this.target = target;
    this.client = this.newClient();
    this.distantClient = this.newClient({ region: target.otherRegion });
    this.zone = `${target.region}a`;
  }

  /** Makes a client that differs from the usual one. */
  newClient(changes: EC2ClientConfig = {}): EC2Client {
    const { endpoint, region, accessKeyId, secretAccessKey } = this.target;
    const client = new EC2Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      // Asked once, so that a failure shows; hence never by a connection that the server may be about to close.
      maxAttempts: 1,
      requestHandler: { httpAgent: { keepAlive: false } },
      ...changes,
    });
    this.#clients.push(client);
    return client;
  }

  /** Returns a name that nobody else uses. */
  name(): string {
    return `probe-${randomBytes(6).toString("hex")}`;
  }

  /** Makes a volume and waits until it is available. */
  async volume(input: Partial<CreateVolumeCommandInput> = {}): Promise<Volume> {
    const wanted = { AvailabilityZone: this.zone, Size: 8, ...input };
    const { VolumeId = "" } = await this.client.send(new CreateVolumeCommand(wanted));
    return await poll(async () => {
      const { Volumes = [] } = await this.client.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }));
      return Volumes.find((volume) => volume.State === "available");
    });
  }

  /** Makes a snapshot, of a new volume where none is given, and waits until it is completed. */
  async snapshot(options: { readonly volumeId?: string; readonly tags?: Tag[] } = {}): Promise<Snapshot> {
    const VolumeId = options.volumeId ?? (await this.volume()).VolumeId;
    const TagSpecifications = options.tags && [{ ResourceType: "snapshot" as const, Tags: options.tags }];
    const { SnapshotId = "" } = await this.client.send(new CreateSnapshotCommand({ VolumeId, TagSpecifications }));
    return await this.completed(SnapshotId);
  }

  /** Waits until a snapshot is completed. */
  async completed(snapshotId: string, client = this.client): Promise<Snapshot> {
    return await poll(async () => {
      const { Snapshots = [] } = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }));
      return Snapshots.find((snapshot) => snapshot.State === "completed");
    });
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
  }
}

const patienceMs = 50_000;

async function poll<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`it was not ready after ${patienceMs / 1000} s`);
    await delay(20);
  }
}
