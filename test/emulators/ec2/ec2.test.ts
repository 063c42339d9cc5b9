import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";

import {
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import type { Snapshot } from "@aws-sdk/client-ec2";

import { Accounts } from "../accounts.ts";
import type { Account } from "../accounts.ts";
import { failureOf } from "../probes/probe.ts";
import { startEc2 } from "./start-ec2.ts";
import type { Ec2Options, Ec2StandIn } from "./start-ec2.ts";

const owner: Account = { accessKeyId: "AKIAOWNER", secretAccessKey: "owner-secret" };
const zone = "us-east-1a";

interface Rig {
  readonly ec2: Ec2StandIn;
  readonly accounts: Accounts;
  readonly stateDir: string;
  readonly client: EC2Client;
  readonly clientOf: (account: Account, region?: string) => EC2Client;
  readonly snapshot: (snapshotId: string | undefined) => Promise<Snapshot | undefined>;
}

async function startRig(t: TestContext, options: Partial<Ec2Options> = {}): Promise<Rig> {
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), "ec2-")));
  const accounts = new Accounts([owner]);
  const ec2 = await startEc2({ stateDir, accounts, ...options });
  const clients: EC2Client[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    await ec2.close();
    await rm(stateDir, { recursive: true, force: true });
  });
  const clientOf = (account: Account, region = "us-east-1"): EC2Client => {
    const client = new EC2Client({ endpoint: ec2.url, region, credentials: account, maxAttempts: 1 });
    clients.push(client);
    return client;
  };
  const client = clientOf(owner);
  const snapshot = async (snapshotId: string | undefined): Promise<Snapshot | undefined> => {
    const command = new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId ?? ""] });
    return (await client.send(command)).Snapshots?.[0];
  };
  return { ec2, accounts, stateDir, client, clientOf, snapshot };
}

describe("the EC2 stand-in by itself", { concurrency: true }, () => {
  test("the progress of a snapshot grows until it is completed", async (t) => {
    let nowMs = Date.now();
    const { ec2, client, snapshot } = await startRig(t, { pendingMs: 10_000, now: () => new Date(nowMs) });
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });
    const { SnapshotId } = await client.send(new CreateSnapshotCommand({ VolumeId }));

    const seen: unknown[] = [];
    for (const stepMs of [0, 2500, 5000, 2500]) {
      nowMs += stepMs;
      const { State, Progress } = (await snapshot(SnapshotId)) ?? {};
      seen.push([State, Progress]);
    }

    assert.deepEqual(seen, [
      ["pending", "0%"],
      ["pending", "25%"],
      ["pending", "75%"],
      ["completed", "100%"],
    ]);
  });

  test("a snapshot that was told to fail says why", async (t) => {
    const { ec2, client, snapshot } = await startRig(t);
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });
    ec2.failNextSnapshot(VolumeId, "the key is gone");

    const failed = await client.send(new CreateSnapshotCommand({ VolumeId }));
    const next = await client.send(new CreateSnapshotCommand({ VolumeId }));

    const { State, StateMessage } = (await snapshot(failed.SnapshotId)) ?? {};
    assert.deepEqual([failed.State, State, StateMessage], ["pending", "error", "the key is gone"]);
    assert.equal((await snapshot(next.SnapshotId))?.State, "completed");
  });

  test("what is made with a forbidden KMS key ends in error", async (t) => {
    const { client } = await startRig(t, { kms: { denied: ["alias/forbidden"] } });
    const input = { AvailabilityZone: zone, Size: 1, Encrypted: true, KmsKeyId: "alias/forbidden" };

    const { VolumeId = "", State } = await client.send(new CreateVolumeCommand(input));

    const { Volumes } = await client.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }));
    assert.deepEqual([State, Volumes?.[0]?.State], ["creating", "error"]);
  });

  test("a snapshot that is pending makes neither a volume nor a copy", async (t) => {
    const { ec2, client, clientOf } = await startRig(t, { pendingMs: 60_000 });
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });
    const { SnapshotId } = await client.send(new CreateSnapshotCommand({ VolumeId }));

    const volume = client.send(new CreateVolumeCommand({ AvailabilityZone: zone, SnapshotId }));
    const copy = new CopySnapshotCommand({ SourceRegion: "us-east-1", SourceSnapshotId: SnapshotId });

    assert.equal((await failureOf(volume)).code, "IncorrectState");
    assert.equal((await failureOf(clientOf(owner, "eu-west-1").send(copy))).code, "IncorrectState");
  });

  test("a copy whose signed URL is that of another snapshot is refused", async (t) => {
    const { ec2, client, clientOf } = await startRig(t);
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });
    const { SnapshotId } = await client.send(new CreateSnapshotCommand({ VolumeId }));
    const distant = clientOf(owner, "eu-west-1");
    await distant.send(new CopySnapshotCommand({ SourceRegion: "us-east-1", SourceSnapshotId: SnapshotId }));
    const signed = ec2.log.entries("CopySnapshot")[0]?.query.get("PresignedUrl") ?? "";
    const other = await client.send(new CreateSnapshotCommand({ VolumeId }));

    const replayed = new CopySnapshotCommand({
      SourceRegion: "us-east-1",
      SourceSnapshotId: other.SnapshotId,
      PresignedUrl: signed,
    });

    assert.match(signed, /X-Amz-Signature=/);
    assert.equal((await failureOf(distant.send(replayed))).code, "InvalidParameterValue");
  });

  test("a snapshot of an image is not deleted", async (t) => {
    const { ec2, client } = await startRig(t);
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });
    const { SnapshotId = "" } = await client.send(new CreateSnapshotCommand({ VolumeId }));
    ec2.useSnapshotInImage("us-east-1", SnapshotId, "ami-0123456789abcdef0");

    const remove = client.send(new DeleteSnapshotCommand({ SnapshotId }));

    assert.equal((await failureOf(remove)).code, "InvalidSnapshot.InUse");
  });

  test("a denied action is UnauthorizedOperation, in a dry run as well", async (t) => {
    const { ec2, clientOf, accounts } = await startRig(t);
    const reader = { accessKeyId: "AKIAREADER", secretAccessKey: "s", deny: ["ec2:Create*"] };
    accounts.add(reader);
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });
    const client = clientOf(reader);

    for (const DryRun of [true, false]) {
      const create = client.send(new CreateSnapshotCommand({ VolumeId, DryRun }));
      assert.deepEqual(await failureOf(create), { code: "UnauthorizedOperation", status: 403 });
    }
    assert.equal((await client.send(new DescribeVolumesCommand({}))).Volumes?.length, 1);
  });

  test("the volumes of another account are not there", async (t) => {
    const { ec2, clientOf, accounts } = await startRig(t);
    const stranger = { accessKeyId: "AKIASTRANGER", secretAccessKey: "s", accountId: "210987654321" };
    accounts.add(stranger);
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });

    const create = clientOf(stranger).send(new CreateSnapshotCommand({ VolumeId }));

    assert.equal((await failureOf(create)).code, "InvalidVolume.NotFound");
  });

  test("volumes, snapshots and client tokens are there after a restart", async (t) => {
    const first = await startRig(t);
    const input = { AvailabilityZone: zone, Size: 3, ClientToken: "once" };
    const { VolumeId } = await first.client.send(new CreateVolumeCommand(input));
    const { SnapshotId } = await first.client.send(new CreateSnapshotCommand({ VolumeId }));
    await first.ec2.close();

    const second = await startRig(t, { stateDir: first.stateDir });

    assert.equal((await second.client.send(new CreateVolumeCommand(input))).VolumeId, VolumeId);
    assert.equal((await second.snapshot(SnapshotId))?.VolumeSize, 3);
  });

  test("an answer that is lost has had its effect", async (t) => {
    const { ec2, client } = await startRig(t);
    const VolumeId = ec2.addVolume({ zone, sizeGiB: 1 });
    ec2.faults.add({ kind: "lose-response" }, { operation: "CreateSnapshot" });

    await assert.rejects(client.send(new CreateSnapshotCommand({ VolumeId })));

    const { Snapshots } = await client.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
    assert.deepEqual(
      Snapshots?.map((snapshot) => snapshot.VolumeId),
      [VolumeId],
    );
  });
});
