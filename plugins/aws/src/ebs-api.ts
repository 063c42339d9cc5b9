import {
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
} from "@aws-sdk/client-ec2";
import type {
  CopySnapshotCommandInput,
  CreateSnapshotCommandInput,
  CreateVolumeCommandInput,
  Filter,
  Snapshot,
  Volume,
} from "@aws-sdk/client-ec2";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { requestMark } from "./ebs-tags.ts";
import type { Ec2Session } from "./ec2-session.ts";

/** The requests to EC2 that snapshots need. Every failure is a PluginError. */
export interface EbsApi {
  /** An unknown volume throws `not-found`. */
  describeVolume(volumeId: string, call: Call): Promise<Volume>;
  /** An unknown snapshot throws `not-found`. */
  describeSnapshot(snapshotId: string, call: Call): Promise<Snapshot>;
  /** The snapshot that a request of this mark made, whose answer was lost. */
  findSnapshot(requestId: string, call: Call): Promise<string | undefined>;
  /** One try: CreateSnapshot has no token that would make a second one harmless. */
  createSnapshot(input: CreateSnapshotCommandInput, call: Call): Promise<string>;
  /** An unknown snapshot throws `not-found`; one behind an AMI throws `held`. */
  deleteSnapshot(snapshotId: string, call: Call): Promise<void>;
  /** Repeatable by the input's client token. */
  createVolume(input: CreateVolumeCommandInput, call: Call): Promise<string>;
  /** Deletes a volume that was never attached. */
  deleteVolume(volumeId: string, call: Call): Promise<void>;
}

/** The requests to one region that copies of snapshots need beside those. */
export interface EbsCopyApi extends Pick<EbsApi, "describeSnapshot" | "findSnapshot" | "deleteSnapshot"> {
  readonly region: string;
  /** The account's own snapshots that pass every filter. */
  listSnapshots(filters: readonly Filter[], call: Call): AsyncIterable<Snapshot>;
  /** One try, sent to the region that the copy is to be in: CopySnapshot has no token either. */
  copySnapshot(input: CopySnapshotCommandInput, call: Call): Promise<string>;
}

const pageSize = 1000;

/** EC2 itself. */
export class Ec2EbsApi implements EbsApi, EbsCopyApi {
  readonly #session: Ec2Session;

  constructor(session: Ec2Session) {
    this.#session = session;
  }

  get region(): string {
    return this.#session.region;
  }

  async describeVolume(volumeId: string, call: Call): Promise<Volume> {
    const subject = `volume "${volumeId}" in region ${this.#session.region}`;
    const attempt = { action: `describe ${subject}`, permission: "ec2:DescribeVolumes", subject };
    const answer = await this.#session.run(
      attempt,
      call,
      async (client, options) => await client.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }), options),
    );
    return onlyOne(answer.Volumes, subject);
  }

  async describeSnapshot(snapshotId: string, call: Call): Promise<Snapshot> {
    const subject = this.#snapshot(snapshotId);
    const attempt = { action: `describe ${subject}`, permission: "ec2:DescribeSnapshots", subject };
    const answer = await this.#session.run(
      attempt,
      call,
      async (client, options) =>
        await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }), options),
    );
    return onlyOne(answer.Snapshots, subject);
  }

  async findSnapshot(requestId: string, call: Call): Promise<string | undefined> {
    const attempt = { action: "look for a snapshot just requested", permission: "ec2:DescribeSnapshots" };
    const Filters = [{ Name: `tag:${requestMark}`, Values: [requestId] }];
    const answer = await this.#session.run(
      attempt,
      call,
      async (client, options) =>
        await client.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"], Filters }), options),
    );
    return answer.Snapshots?.[0]?.SnapshotId;
  }

  async createSnapshot(input: CreateSnapshotCommandInput, call: Call): Promise<string> {
    const subject = `volume "${input.VolumeId}" in region ${this.#session.region}`;
    const attempt = { action: `snapshot ${subject}`, permission: "ec2:CreateSnapshot and ec2:CreateTags", subject };
    const answer = await this.#session.runOnce(
      attempt,
      call,
      async (client, options) => await client.send(new CreateSnapshotCommand(input), options),
    );
    return required(answer.SnapshotId, attempt.action);
  }

  async deleteSnapshot(snapshotId: string, call: Call): Promise<void> {
    const subject = this.#snapshot(snapshotId);
    const attempt = { action: `delete ${subject}`, permission: "ec2:DeleteSnapshot", subject };
    await this.#session.run(attempt, call, async (client, options) => {
      await client.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }), options);
    });
  }

  async *listSnapshots(filters: readonly Filter[], call: Call): AsyncIterable<Snapshot> {
    const attempt = {
      action: `list the snapshots in region ${this.#session.region}`,
      permission: "ec2:DescribeSnapshots",
    };
    const query = { OwnerIds: ["self"], Filters: [...filters], MaxResults: pageSize };
    let token: string | undefined;
    do {
      const page = new DescribeSnapshotsCommand({ ...query, ...(token === undefined ? {} : { NextToken: token }) });
      const answer = await this.#session.run(
        attempt,
        call,
        async (client, options) => await client.send(page, options),
      );
      yield* answer.Snapshots ?? [];
      token = answer.NextToken === "" ? undefined : answer.NextToken;
    } while (token !== undefined);
  }

  async copySnapshot(input: CopySnapshotCommandInput, call: Call): Promise<string> {
    const subject = `snapshot "${input.SourceSnapshotId}" of region ${input.SourceRegion}`;
    const attempt = {
      action: `copy ${subject} to region ${this.#session.region}`,
      permission: "ec2:CopySnapshot and ec2:CreateTags",
      subject,
    };
    const answer = await this.#session.runOnce(
      attempt,
      call,
      async (client, options) => await client.send(new CopySnapshotCommand(input), options),
    );
    return required(answer.SnapshotId, attempt.action);
  }

  async createVolume(input: CreateVolumeCommandInput, call: Call): Promise<string> {
    const subject = this.#snapshot(input.SnapshotId ?? "");
    const attempt = {
      action: `create a volume from ${subject}`,
      permission: "ec2:CreateVolume and ec2:CreateTags",
      subject,
    };
    const answer = await this.#session.run(
      attempt,
      call,
      async (client, options) => await client.send(new CreateVolumeCommand(input), options),
    );
    return required(answer.VolumeId, attempt.action);
  }

  async deleteVolume(volumeId: string, call: Call): Promise<void> {
    const subject = `volume "${volumeId}" in region ${this.#session.region}`;
    const attempt = { action: `delete ${subject}`, permission: "ec2:DeleteVolume", subject };
    await this.#session.run(attempt, call, async (client, options) => {
      await client.send(new DeleteVolumeCommand({ VolumeId: volumeId }), options);
    });
  }

  #snapshot(snapshotId: string): string {
    return `snapshot "${snapshotId}" in region ${this.#session.region}`;
  }
}

function onlyOne<T>(found: readonly T[] | undefined, subject: string): T {
  const [first, ...rest] = found ?? [];
  if (first !== undefined && rest.length === 0) return first;
  throw new PluginError(`${subject} not found (${found?.length ?? 0} answered)`, { kind: "not-found" });
}

function required(id: string | undefined, action: string): string {
  if (id !== undefined && id !== "") return id;
  throw new PluginError(`${action}: the answer has no id; check the endpoint`, { kind: "unsupported" });
}
