import { CreateVolumeCommand, EC2Client } from "@aws-sdk/client-ec2";
import type { VolumeType } from "@aws-sdk/client-ec2";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { readFile } from "node:fs/promises";
import type { BlobTarget, Ec2Target, S3Target } from "./spec.ts";

/** Makes buckets. */
export async function prepareS3({ endpoint, region, keys }: S3Target, buckets: readonly string[]): Promise<void> {
  const client = new S3Client({ endpoint, region, credentials: keys, forcePathStyle: true });
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
}

/** Makes two volumes in the first region and one in the second; answers their ids by the names that targets use. */
export async function prepareVolumes({
  endpoint,
  regions,
  keys,
}: Ec2Target): Promise<Readonly<Record<string, string>>> {
  const create = async (region: string, type: VolumeType, iops?: number): Promise<string> => {
    const client = new EC2Client({ endpoint, region, credentials: keys });
    const request = {
      AvailabilityZone: `${region}a`,
      Size: 4,
      VolumeType: type,
      ...(iops === undefined ? {} : { Iops: iops }),
    };
    const { VolumeId } = await client.send(new CreateVolumeCommand(request));
    client.destroy();
    if (VolumeId === undefined) throw new Error("a volume was created without an id");
    return VolumeId;
  };
  const [here, there] = regions;
  return {
    volume1: await create(here, "gp3"),
    volume2: await create(here, "io2", 400),
    volume3: await create(there, "gp2"),
  };
}

/** Makes containers, over plain HTTP and over HTTPS; answers the first account by the names that targets use. */
export async function prepareBlob(
  { endpoint, plainEndpoint, main, caFile }: BlobTarget,
  containers: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const { name: account, key: accountKey } = main;
  for (const place of [endpoint, plainEndpoint]) {
    const service = new BlobServiceClient(`${place}/${account}`, new StorageSharedKeyCredential(account, accountKey));
    for (const name of containers) await service.createContainer(name);
  }
  const caPem = await readFile(caFile, "utf8");
  return { account, accountKey, blob: `${plainEndpoint}/${account}`, blobOverTls: `${endpoint}/${account}`, caPem };
}
