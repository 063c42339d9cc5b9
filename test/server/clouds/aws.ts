import { createHash } from "node:crypto";
import { join } from "node:path";

import { DeleteVolumeCommand, DescribeSnapshotsCommand, DescribeVolumesCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { Volume } from "@aws-sdk/client-ec2";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { Accounts, startEc2, startS3 } from "@flotilla/test/emulators";
import type { Account, Ec2StandIn, S3StandIn } from "@flotilla/test/emulators";

import { officialPlugin } from "../../interop/toolchain.ts";
import { credentialsText } from "../../wire/harness.ts";
import { furtherBucket } from "./cloud.ts";
import type { Cloud, ClusterVolume, PersistentVolume, TwoRegions } from "./cloud.ts";

const homeRegion = "us-east-1";
const otherRegion = "eu-west-1";
const zone = `${homeRegion}a`;
const bucket = "velero-backups";
const copyBucket = "velero-copies";
const owner: Account = { accessKeyId: "AKIAOWNER", secretAccessKey: "owner-secret" };
const refused: Account = { ...owner, secretAccessKey: "not-the-secret" };
// How long a snapshot is pending, and a volume creating.
const pendingMs = 1_500;

/** Starts S3 and EC2, with two volumes. */
export async function startAws(folder: string): Promise<TwoRegions> {
  const stateDir = join(folder, "aws");
  const accounts = new Accounts([owner]);
  const buckets = [
    { name: bucket, region: homeRegion },
    { name: furtherBucket, region: homeRegion },
    { name: copyBucket, region: otherRegion },
  ];
  const s3 = await startS3({ stateDir, accounts, buckets, allowSseCustomerOverHttp: true });
  const ec2 = await startEc2({ stateDir, accounts, pendingMs });
  const add = (): string => ec2.addVolume({ zone, sizeGiB: 8, type: "gp3", iops: 4000, tags: { Name: "data" } });
  const services = { stateDir, accounts, s3, ec2, volumes: [csiVolume(add()), inTreeVolume(add())] };
  const home = viewOf(services, homeRegion, bucket);
  const elsewhere = viewOf(services, otherRegion, copyBucket);
  return {
    ...home,
    copiedKeys: {
      config: { copyTo: `s3://${copyBucket}?region=${otherRegion}` },
      volumeConfig: { copyToRegions: otherRegion },
    },
    elsewhere: {
      ...elsewhere,
      keys: {
        ...elsewhere.keys,
        volumeConfig: {
          ...elsewhere.keys.volumeConfig,
          zoneMap: `${zone}=${otherRegion}b`,
          defaultZone: `${otherRegion}a`,
        },
      },
    },
    loseRegion: () => {
      s3.loseRegion(homeRegion);
      ec2.loseRegion(homeRegion);
    },
    close: async () => {
      await Promise.all([home.close(), elsewhere.close()]);
      await Promise.all([s3.close(), ec2.close()]);
    },
  };
}

interface Services {
  readonly stateDir: string;
  readonly accounts: Accounts;
  readonly s3: S3StandIn;
  readonly ec2: Ec2StandIn;
  readonly volumes: readonly ClusterVolume[];
}

/** The services from within a region. */
function viewOf({ stateDir, accounts, s3, ec2, volumes }: Services, region: string, ownBucket: string): Cloud {
  const objects = new S3Client({ endpoint: s3.url, region, credentials: owner, forcePathStyle: true });
  const disks = new EC2Client({ endpoint: ec2.url, region, credentials: owner });
  const describe = async (id: string): Promise<Volume | undefined> => {
    const filter = { Name: "volume-id", Values: [id] };
    return (await disks.send(new DescribeVolumesCommand({ Filters: [filter] }))).Volumes?.[0];
  };
  return {
    provider: "aws",
    bucket: ownBucket,
    keys: {
      credentials: credentialsText(owner),
      config: { region, s3Url: s3.url, s3ForcePathStyle: "true" },
      volumeConfig: { region, endpoint: ec2.url },
    },
    refusedCredentials: credentialsText(refused),
    refusal: [/SignatureDoesNotMatch/, /secret/i],
    official: { plugin: officialPlugin, env: { AWS_ENDPOINT_URL_EC2: ec2.url }, withoutKeys: ["endpoint"] },
    volumes,
    faults: s3.faults,
    contentsPut: (backup) => ({ operation: "PutObject", key: new RegExp(`/${backup}\\.tar\\.gz$`) }),
    snapshotPermission: "ec2:CreateSnapshot",
    refuseSnapshots: () => {
      accounts.add({ ...owner, deny: ["ec2:CreateSnapshot"] });
      return () => accounts.add(owner);
    },
    objectFile: (key) => join(stateDir, "s3", ownBucket, createHash("sha256").update(key).digest("hex"), "data"),
    volumeOf,
    hasVolume: async (id) => (await describe(id)) !== undefined,
    removeVolume: async (id) => void (await disks.send(new DeleteVolumeCommand({ VolumeId: id }))),
    sourceOf: async (id) => (await describe(id))?.SnapshotId ?? "",
    snapshots: async () => {
      const { Snapshots = [] } = await disks.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
      return Snapshots.map(({ SnapshotId = "" }) => SnapshotId);
    },
    objects: async () => {
      const { Contents = [] } = await objects.send(new ListObjectsV2Command({ Bucket: ownBucket }));
      return Contents.map(({ Key = "" }) => Key);
    },
    close: async () => {
      objects.destroy();
      disks.destroy();
    },
  };
}

function csiVolume(id: string): ClusterVolume {
  return {
    name: "csi",
    id,
    labels: {},
    sizeGiB: 8,
    spec: {
      csi: { driver: "ebs.csi.aws.com", volumeHandle: id, fsType: "ext4" },
      nodeAffinity: nodeAffinity("topology.ebs.csi.aws.com/zone"),
    },
  };
}

function inTreeVolume(id: string): ClusterVolume {
  return {
    name: "in-tree",
    id,
    labels: { "topology.kubernetes.io/region": homeRegion, "topology.kubernetes.io/zone": zone },
    sizeGiB: 8,
    spec: {
      awsElasticBlockStore: { volumeID: `aws://${zone}/${id}`, fsType: "ext4" },
      nodeAffinity: nodeAffinity("topology.kubernetes.io/zone"),
    },
  };
}

function nodeAffinity(key: string): object {
  return { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values: [zone] }] }] } };
}

function volumeOf({ spec }: PersistentVolume): string {
  return /vol-[0-9a-f]+/.exec(JSON.stringify(spec["csi"] ?? spec["awsElasticBlockStore"] ?? ""))?.[0] ?? "";
}
