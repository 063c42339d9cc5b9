import assert from "node:assert/strict";

import {
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteTagsCommand,
  DeleteVolumeCommand,
  DescribeAvailabilityZonesCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
} from "@aws-sdk/client-ec2";
import type { CreateVolumeCommandInput, Tag } from "@aws-sdk/client-ec2";

import { expectFailure } from "../probe.ts";
import type { Probe } from "../probe.ts";
import type { Ec2Context } from "./context.ts";

const unknownVolume = "vol-0123456789abcdef0";

async function refuses(
  ec2: Ec2Context,
  input: Partial<CreateVolumeCommandInput>,
  codes: string | readonly string[],
): Promise<void> {
  const wanted = { AvailabilityZone: ec2.zone, Size: 8, ...input };
  await expectFailure(ec2.client.send(new CreateVolumeCommand(wanted)), codes, 400);
}

async function tagsOf(ec2: Ec2Context, id: string | undefined): Promise<Record<string, string | undefined>> {
  const Filters = [{ Name: "resource-id", Values: [id ?? ""] }];
  const { Tags = [] } = await ec2.client.send(new DescribeTagsCommand({ Filters }));
  return Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));
}

/** Volumes, tags, zones and access. */
export const volumeProbes: readonly Probe<Ec2Context>[] = [
  {
    name: "a gp3 volume keeps iops and throughput",
    run: async (ec2) => {
      const volume = await ec2.volume({ VolumeType: "gp3", Iops: 4000, Throughput: 250 });

      const { VolumeType, Iops, Throughput, Size, AvailabilityZone, Encrypted } = volume;
      assert.deepEqual({ VolumeType, Iops, Throughput }, { VolumeType: "gp3", Iops: 4000, Throughput: 250 });
      assert.deepEqual(
        { Size, AvailabilityZone, Encrypted },
        { Size: 8, AvailabilityZone: ec2.zone, Encrypted: false },
      );
    },
  },
  {
    name: "gp3 has its standard iops and throughput",
    run: async (ec2) => {
      const { Iops, Throughput } = await ec2.volume({ VolumeType: "gp3" });

      assert.deepEqual([Iops, Throughput], [3000, 125]);
    },
  },
  {
    name: "an io2 volume keeps iops",
    run: async (ec2) => {
      const { VolumeType, Iops } = await ec2.volume({ VolumeType: "io2", Iops: 500 });

      assert.deepEqual([VolumeType, Iops], ["io2", 500]);
    },
  },
  {
    name: "an io1 volume without iops is refused",
    run: (ec2) => refuses(ec2, { VolumeType: "io1" }, ["InvalidParameterCombination", "MissingParameter"]),
  },
  {
    name: "iops on gp2 are refused",
    run: (ec2) => refuses(ec2, { VolumeType: "gp2", Iops: 100 }, "InvalidParameterCombination"),
  },
  {
    name: "throughput on gp2 is refused",
    run: (ec2) =>
      refuses(ec2, { VolumeType: "gp2", Throughput: 200 }, [
        "InvalidParameterCombination",
        "InvalidParameterDependency",
      ]),
  },
  {
    name: "too many iops for the size are refused",
    run: (ec2) => refuses(ec2, { VolumeType: "io1", Iops: 1000, Size: 10 }, "InvalidParameterValue"),
  },
  {
    name: "a size that the type does not have is refused",
    run: (ec2) => refuses(ec2, { VolumeType: "st1", Size: 10 }, "InvalidParameterValue"),
  },
  {
    name: "a zone that does not exist is refused",
    run: (ec2) =>
      refuses(ec2, { AvailabilityZone: "mars-north-1a" }, ["InvalidZone.NotFound", "InvalidParameterValue"]),
  },
  {
    name: "a volume without size and snapshot is refused",
    run: async (ec2) => {
      const create = new CreateVolumeCommand({ AvailabilityZone: ec2.zone });

      await expectFailure(ec2.client.send(create), "MissingParameter", 400);
    },
  },
  {
    name: "a KMS key without encryption is refused",
    run: (ec2) => refuses(ec2, { KmsKeyId: "alias/backup" }, "InvalidParameterDependency"),
  },
  {
    name: "an encrypted volume says so with its key",
    run: async (ec2) => {
      const KmsKeyId = `arn:aws:kms:${ec2.target.region}:123456789012:key/11111111-2222-3333-4444-555555555555`;

      const volume = await ec2.volume({ Encrypted: true, KmsKeyId });

      assert.deepEqual([volume.Encrypted, volume.KmsKeyId], [true, KmsKeyId]);
    },
  },
  {
    name: "a client token makes one volume, and with other parameters an error",
    run: async (ec2) => {
      const input = { AvailabilityZone: ec2.zone, Size: 8, ClientToken: ec2.name() };

      const first = await ec2.client.send(new CreateVolumeCommand(input));
      const second = await ec2.client.send(new CreateVolumeCommand(input));

      assert.equal(second.VolumeId, first.VolumeId);
      const other = ec2.client.send(new CreateVolumeCommand({ ...input, Size: 9 }));
      await expectFailure(other, "IdempotentParameterMismatch", 400);
    },
  },
  {
    name: "a dry run changes nothing",
    run: async (ec2) => {
      const value = ec2.name();
      const TagSpecifications = [{ ResourceType: "volume" as const, Tags: [{ Key: "probe", Value: value }] }];
      const input = { AvailabilityZone: ec2.zone, Size: 8, DryRun: true, TagSpecifications };

      await expectFailure(ec2.client.send(new CreateVolumeCommand(input)), "DryRunOperation", 412);

      const Filters = [{ Name: "tag:probe", Values: [value] }];
      const { Volumes } = await ec2.client.send(new DescribeVolumesCommand({ Filters }));
      assert.deepEqual(Volumes, []);
    },
  },
  {
    name: "volumes are found by id, tag and type",
    run: async (ec2) => {
      const value = ec2.name();
      const TagSpecifications = [{ ResourceType: "volume" as const, Tags: [{ Key: "probe", Value: value }] }];
      const { VolumeId = "" } = await ec2.volume({ VolumeType: "gp3", TagSpecifications });
      await ec2.volume({ VolumeType: "gp2", TagSpecifications });
      const Filters = [
        { Name: "tag:probe", Values: [value] },
        { Name: "volume-type", Values: ["gp3"] },
      ];

      const found = await ec2.client.send(new DescribeVolumesCommand({ Filters }));

      assert.deepEqual(
        found.Volumes?.map((volume) => volume.VolumeId),
        [VolumeId],
      );
    },
  },
  {
    name: "an unknown volume is InvalidVolume.NotFound",
    run: async (ec2) => {
      const codes = "InvalidVolume.NotFound";
      await expectFailure(ec2.client.send(new DescribeVolumesCommand({ VolumeIds: [unknownVolume] })), codes, 400);
      await expectFailure(ec2.client.send(new DeleteVolumeCommand({ VolumeId: unknownVolume })), codes, 400);
    },
  },
  {
    name: "a malformed volume id is refused",
    run: async (ec2) => {
      const describe = new DescribeVolumesCommand({ VolumeIds: ["vol-nothex"] });

      await expectFailure(ec2.client.send(describe), ["InvalidParameterValue", "InvalidVolumeID.Malformed"], 400);
    },
  },
  {
    name: "a volume is deleted",
    run: async (ec2) => {
      const { VolumeId } = await ec2.volume();

      await ec2.client.send(new DeleteVolumeCommand({ VolumeId }));

      const again = ec2.client.send(new DeleteVolumeCommand({ VolumeId }));
      await expectFailure(again, "InvalidVolume.NotFound", 400);
    },
  },
  {
    name: "tags are added, replaced and removed",
    run: async (ec2) => {
      const { VolumeId = "" } = await ec2.volume();
      const Resources = [VolumeId];
      const set = async (...Tags: Tag[]): Promise<void> => {
        await ec2.client.send(new CreateTagsCommand({ Resources, Tags }));
      };
      await set({ Key: "a", Value: "1" }, { Key: "b", Value: "2" });
      await set({ Key: "a", Value: "3" });

      const before = await tagsOf(ec2, VolumeId);
      await ec2.client.send(new DeleteTagsCommand({ Resources, Tags: [{ Key: "a" }, { Key: "b", Value: "other" }] }));

      assert.deepEqual([before, await tagsOf(ec2, VolumeId)], [{ a: "3", b: "2" }, { b: "2" }]);
    },
  },
  {
    name: "reserved tags are refused",
    run: async (ec2) => {
      const Tags = [{ Key: "aws:owner", Value: "me" }];

      await refuses(ec2, { TagSpecifications: [{ ResourceType: "volume", Tags }] }, "InvalidParameterValue");
    },
  },
  {
    name: "51 tags are refused",
    run: async (ec2) => {
      const Tags = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: "v" }));

      await refuses(ec2, { TagSpecifications: [{ ResourceType: "volume", Tags }] }, "TagLimitExceeded");
    },
  },
  {
    name: "the zones of the region are listed",
    run: async (ec2) => {
      const { AvailabilityZones = [] } = await ec2.client.send(new DescribeAvailabilityZonesCommand({}));

      assert.ok(AvailabilityZones.some((zone) => zone.ZoneName === ec2.zone && zone.State === "available"));
    },
  },
  {
    name: "a wrong secret is refused",
    run: async (ec2) => {
      const credentials = { accessKeyId: ec2.target.accessKeyId, secretAccessKey: "not-the-secret" };
      const client = ec2.newClient({ credentials });

      await expectFailure(client.send(new DescribeVolumesCommand({})), ["AuthFailure", "SignatureDoesNotMatch"]);
    },
  },
  {
    name: "an unknown access key is refused",
    run: async (ec2) => {
      const client = ec2.newClient({ credentials: { accessKeyId: "AKIAUNKNOWN", secretAccessKey: "x" } });

      await expectFailure(client.send(new DescribeVolumesCommand({})), ["AuthFailure", "InvalidClientTokenId"]);
    },
  },
];
