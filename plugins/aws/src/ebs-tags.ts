import type { Tag } from "@aws-sdk/client-ec2";
import { ownDomain } from "@flotilla/sdk/plugin";
import { copyFromTag, copyOfTag, inheritTags } from "@flotilla/sdk/volumes";
import type { Tags } from "@flotilla/sdk/volumes";

/** The mark that keeps a volume's provisioned throughput, in MiB/s, on its snapshot. */
export const throughputMark = `${ownDomain}/throughput`;

/** The mark that tells a snapshot whose answer was lost from any other. */
export const requestMark = `${ownDomain}/request`;

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
const maxTags = 50;

/** The tags of a new snapshot: the server's and our marks, then the volume's. */
export function snapshotTags(server: Tags, marks: Tags, volume: Tags): ReturnType<typeof inheritTags> {
  // A volume that bears marks was not made by us, and a snapshot with its mark of a copy would be taken for that copy.
  return inheritTags({ own: { ...server, ...marks }, inherited: volume, isReserved: isLeftOut, maxTags });
}

/** The tags of a copy: the marks that it is found by, then all that its origin has, the server's and ours first. */
export function copyTags(
  origin: { readonly snapshotId: string; readonly region: string; readonly tags: Tags },
  requestId: string,
): ReturnType<typeof inheritTags> {
  const told = Object.entries(origin.tags).filter(([name]) => isMark(name) || name.startsWith("velero.io/"));
  const marks = { [copyOfTag]: origin.snapshotId, [copyFromTag]: origin.region, [requestMark]: requestId };
  const own = { ...Object.fromEntries(told), ...marks };
  return inheritTags({ own, inherited: origin.tags, isReserved, maxTags });
}

/**
 * The tags of a restored volume: the snapshot's without our marks. Where the cluster's name is given, even an empty one,
 * the tags by which a cluster owns a volume are replaced by those of this cluster.
 */
export function volumeTags(snapshot: Tags, clusterName: string | undefined): Tags {
  const own: Tags =
    clusterName === undefined
      ? {}
      : { [`kubernetes.io/cluster/${clusterName}`]: "owned", KubernetesCluster: clusterName };
  const isReserved = (name: string): boolean => isLeftOut(name) || (clusterName !== undefined && isOwnership(name));
  return inheritTags({ own, inherited: snapshot, isReserved, maxTags }).tags;
}

/** From the SDK's form. */
export function readTags(tags: readonly Tag[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? ""]])));
}

/** The field of a request that tags what it creates; nothing where there are no tags, which EC2 would refuse. */
export function tagSpecifications<R extends "snapshot" | "volume">(
  resource: R,
  tags: Tags,
): { readonly TagSpecifications?: { ResourceType: R; Tags: Tag[] }[] } {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return list.length === 0 ? {} : { TagSpecifications: [{ ResourceType: resource, Tags: list }] };
}

function isReserved(name: string): boolean {
  return name.toLowerCase().startsWith("aws:");
}

function isOwnership(name: string): boolean {
  return name.startsWith("kubernetes.io/cluster/") || name === "KubernetesCluster";
}

function isMark(name: string): boolean {
  return name.startsWith(`${ownDomain}/`);
}

function isLeftOut(name: string): boolean {
  return isReserved(name) || isMark(name);
}
