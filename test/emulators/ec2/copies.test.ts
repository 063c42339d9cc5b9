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
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";

import { failureOf } from "../probes/probe.ts";
import { startEc2 } from "./start-ec2.ts";
import type { Ec2Options } from "./start-ec2.ts";

const [home, there] = ["us-east-1", "eu-west-1"] as const;
const owner = { accessKeyId: "AKIAOWNER", secretAccessKey: "owner-secret" };

async function startRig(t: TestContext, options: Partial<Ec2Options> = {}) {
  const stateDir = await mkdtemp(join(tmpdir(), "ec2-"));
  const ec2 = await startEc2({ stateDir, accounts: [owner], ...options });
  const clientOf = (region: string) => new EC2Client({ endpoint: ec2.url, region, credentials: owner, maxAttempts: 1 });
  const [near, far] = [clientOf(home), clientOf(there)];
  t.after(async () => {
    near.destroy();
    far.destroy();
    await ec2.close();
    await rm(stateDir, { recursive: true, force: true });
  });
  const VolumeId = ec2.addVolume({ zone: `${home}a`, sizeGiB: 8 });
  const { SnapshotId = "" } = await near.send(new CreateSnapshotCommand({ VolumeId }));
  const copy = (more = {}) =>
    far.send(new CopySnapshotCommand({ SourceRegion: home, SourceSnapshotId: SnapshotId, ...more }));
  return { ec2, near, far, copy, SnapshotId };
}

describe("copies in the EC2 stand-in", { concurrency: true }, () => {
  test("no more of them are pending in a region than its quota allows, and an ended one makes room", async (t) => {
    const start = Date.now();
    let passedMs = 0;
    const now = () => new Date(start + passedMs);
    const { copy, far } = await startRig(t, { copyMs: 60_000, maxConcurrentCopies: 2, now });
    await copy();
    await copy();

    assert.equal((await failureOf(copy())).code, "ResourceLimitExceeded");

    passedMs = 60_001;
    await copy();
    const { Snapshots = [] } = await far.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
    assert.deepEqual([Snapshots.length, Snapshots.filter(({ State }) => State === "pending").length], [3, 1]);
  });

  for (const minutes of [10, 20, 2895])
    test(`a completion time of ${minutes} minutes is refused`, async (t) => {
      const { copy } = await startRig(t);

      assert.equal((await failureOf(copy({ CompletionDurationMinutes: minutes }))).code, "InvalidParameterValue");
    });

  test("a region that is lost answers nothing until it is back, and the others go on", async (t) => {
    const { ec2, near, far, SnapshotId } = await startRig(t);
    const lost = ec2.loseRegion(home);

    await assert.rejects(near.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })));
    await far.send(new DescribeVolumesCommand({}));
    lost.remove();

    assert.equal((await near.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }))).Snapshots?.length, 1);
  });

  test("a volume of a type that the region lacks is refused", async (t) => {
    const { near, SnapshotId } = await startRig(t, { missingTypes: { [home]: ["io2"] } });
    const input = { SnapshotId, AvailabilityZone: `${home}a`, VolumeType: "io2", Iops: 400 } as const;

    assert.equal((await failureOf(near.send(new CreateVolumeCommand(input)))).code, "UnknownVolumeType");
  });
});
