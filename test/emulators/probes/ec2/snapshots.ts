import assert from "node:assert/strict";

import {
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  ModifySnapshotAttributeCommand,
  ModifySnapshotTierCommand,
} from "@aws-sdk/client-ec2";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { Ec2Context } from "./context.ts";

const unknownSnapshot = "snap-0123456789abcdef0";
const notFound = "InvalidSnapshot.NotFound";

/** Snapshots and their copies. */
export const snapshotProbes: readonly Probe<Ec2Context>[] = [
  {
    name: "a snapshot is pending in the answer to its creation",
    run: async (ec2) => {
      const { VolumeId } = await ec2.volume();

      const { State } = await ec2.client.send(new CreateSnapshotCommand({ VolumeId }));

      assert.equal(State, "pending");
    },
  },
  {
    name: "a snapshot keeps volume, size, description and tags",
    run: async (ec2) => {
      const { VolumeId } = await ec2.volume({ Size: 12 });
      const Tags = [{ Key: "one", Value: "1 & <2>" }];
      const TagSpecifications = [{ ResourceType: "snapshot" as const, Tags }];
      const input = { VolumeId, Description: "nightly", TagSpecifications };
      const { SnapshotId = "" } = await ec2.client.send(new CreateSnapshotCommand(input));

      const snapshot = await ec2.completed(SnapshotId);

      assert.deepEqual([snapshot.VolumeId, snapshot.VolumeSize, snapshot.Description], [VolumeId, 12, "nightly"]);
      assert.deepEqual([snapshot.Tags, snapshot.Progress], [Tags, "100%"]);
    },
  },
  {
    name: "a volume of a snapshot has its size and encryption",
    run: async (ec2) => {
      const { VolumeId: volumeId = "" } = await ec2.volume({ Size: 9, Encrypted: true });
      const { SnapshotId = "" } = await ec2.snapshot({ volumeId });

      const { VolumeId = "" } = await ec2.client.send(
        new CreateVolumeCommand({ AvailabilityZone: ec2.zone, SnapshotId }),
      );

      const [volume] = (await ec2.client.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))).Volumes ?? [];
      assert.deepEqual([volume?.Size, volume?.Encrypted, volume?.SnapshotId], [9, true, SnapshotId]);
    },
  },
  {
    name: "a volume smaller than its snapshot is refused",
    run: async (ec2) => {
      const { SnapshotId } = await ec2.snapshot();
      const create = new CreateVolumeCommand({ AvailabilityZone: ec2.zone, SnapshotId, Size: 4 });

      await expectFailure(ec2.client.send(create), "InvalidParameterValue", 400);
    },
  },
  {
    name: "an unknown snapshot is InvalidSnapshot.NotFound everywhere",
    run: async (ec2) => {
      const SnapshotId = unknownSnapshot;
      const { region: SourceRegion } = ec2.target;
      const create = new CreateVolumeCommand({ AvailabilityZone: ec2.zone, SnapshotId });
      const copy = new CopySnapshotCommand({ SourceRegion, SourceSnapshotId: SnapshotId });

      await expectFailure(ec2.client.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })), notFound, 400);
      await expectFailure(ec2.client.send(new DeleteSnapshotCommand({ SnapshotId })), notFound, 400);
      await expectFailure(ec2.client.send(create), notFound, 400);
      await expectFailure(ec2.distantClient.send(copy), notFound, 400);
    },
  },
  {
    name: "a malformed snapshot id is refused",
    run: async (ec2) => {
      const SnapshotId = "snap-nothex";

      const remove = ec2.client.send(new DeleteSnapshotCommand({ SnapshotId }));

      await expectFailure(remove, ["InvalidParameterValue", "InvalidSnapshotID.Malformed"], 400);
    },
  },
  {
    name: "a snapshot of an unknown volume is refused",
    run: async (ec2) => {
      const create = new CreateSnapshotCommand({ VolumeId: "vol-0123456789abcdef0" });

      await expectFailure(ec2.client.send(create), "InvalidVolume.NotFound", 400);
    },
  },
  {
    name: "a snapshot is deleted, but not by a dry run",
    run: async (ec2) => {
      const { SnapshotId } = await ec2.snapshot();

      const dry = ec2.client.send(new DeleteSnapshotCommand({ SnapshotId, DryRun: true }));
      await expectFailure(dry, "DryRunOperation", 412);

      await ec2.client.send(new DeleteSnapshotCommand({ SnapshotId }));
      await expectFailure(ec2.client.send(new DeleteSnapshotCommand({ SnapshotId })), notFound, 400);
    },
  },
  {
    name: "the caller's own snapshots are found by tag and volume",
    run: async (ec2) => {
      const value = ec2.name();
      const { SnapshotId, VolumeId = "" } = await ec2.snapshot({ tags: [{ Key: "probe", Value: value }] });
      const find = async (Name: string, Value: string): Promise<readonly (string | undefined)[]> => {
        const input = { OwnerIds: ["self"], Filters: [{ Name, Values: [Value] }] };
        return ((await ec2.client.send(new DescribeSnapshotsCommand(input))).Snapshots ?? []).map(
          (one) => one.SnapshotId,
        );
      };

      assert.deepEqual(await find("tag:probe", `${value.slice(0, -1)}*`), [SnapshotId]);
      assert.deepEqual(await find("volume-id", VolumeId), [SnapshotId]);
    },
  },
  {
    name: "many snapshots come in pages",
    run: async (ec2) => {
      const { VolumeId = "" } = await ec2.volume();
      for (let i = 0; i < 7; i += 1) await ec2.snapshot({ volumeId: VolumeId });
      const input = { OwnerIds: ["self"], Filters: [{ Name: "volume-id", Values: [VolumeId] }], MaxResults: 5 };

      const first = await ec2.client.send(new DescribeSnapshotsCommand(input));
      assert.equal(first.Snapshots?.length, 5);
      const second = await ec2.client.send(new DescribeSnapshotsCommand({ ...input, NextToken: first.NextToken }));

      const ids = [...first.Snapshots, ...(second.Snapshots ?? [])].map((one) => one.SnapshotId);
      assert.deepEqual([new Set(ids).size, second.NextToken], [7, undefined]);
    },
  },
  {
    name: "a snapshot is not there in another region",
    run: async (ec2) => {
      const { SnapshotId = "" } = await ec2.snapshot();

      const elsewhere = ec2.distantClient.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));

      await expectFailure(elsewhere, notFound, 400);
    },
  },
  {
    name: "a snapshot is copied to another region, encrypted, with tags",
    run: async (ec2) => {
      const { SnapshotId: SourceSnapshotId } = await ec2.snapshot();
      const KmsKeyId = `arn:aws:kms:${ec2.target.otherRegion}:123456789012:key/11111111-2222-3333-4444-555555555555`;
      const Tags = [{ Key: "origin", Value: SourceSnapshotId ?? "" }];
      const input = {
        SourceRegion: ec2.target.region,
        SourceSnapshotId,
        Encrypted: true,
        KmsKeyId,
        Description: "copy",
      };
      const TagSpecifications = [{ ResourceType: "snapshot" as const, Tags }];

      const { SnapshotId = "" } = await ec2.distantClient.send(
        new CopySnapshotCommand({ ...input, TagSpecifications }),
      );

      const copy = await ec2.completed(SnapshotId, ec2.distantClient);
      assert.deepEqual([copy.Encrypted, copy.KmsKeyId, copy.Tags, copy.VolumeSize], [true, KmsKeyId, Tags, 8]);
      assert.equal(copy.Description, "copy");
    },
  },
  {
    name: "a snapshot is shared with an account",
    run: async (ec2) => {
      const { SnapshotId } = await ec2.snapshot();
      const Attribute = "createVolumePermission" as const;
      const CreateVolumePermission = { Add: [{ UserId: "210987654321" }] };
      await ec2.client.send(new ModifySnapshotAttributeCommand({ SnapshotId, Attribute, CreateVolumePermission }));

      const { CreateVolumePermissions } = await ec2.client.send(
        new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute }),
      );

      assert.deepEqual(CreateVolumePermissions, [{ UserId: "210987654321" }]);
    },
  },
  {
    name: "an archived snapshot says so",
    run: async (ec2) => {
      const { SnapshotId = "" } = await ec2.snapshot();

      await ec2.client.send(new ModifySnapshotTierCommand({ SnapshotId, StorageTier: "archive" }));

      assert.equal((await ec2.completed(SnapshotId)).StorageTier, "archive");
    },
  },
];
