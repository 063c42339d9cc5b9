import type { CreateVolumeCommandInput } from "@aws-sdk/client-ec2";
import { PluginError } from "@flotilla/sdk/plugin";

const unknownTypeCode = "UnknownVolumeType";
// What gp3 can take over of provisioned IOPS everywhere, without paying for more than the former type had.
const gp3Iops = { min: 3000, max: 16_000 };

/** Whether EC2 says that the zone has no volumes of this type. */
export function isUnknownType(error: unknown): boolean {
  return error instanceof PluginError && error.code === unknownTypeCode;
}

/**
 * The same request for the type that comes nearest: gp3, which takes over IOPS as far as it can; gp2 in its own place.
 * Undefined where there is none left to try.
 */
export function nearestType(input: CreateVolumeCommandInput): CreateVolumeCommandInput | undefined {
  const { VolumeType: type, Iops } = input;
  if (type === undefined || type === "gp2") return undefined;
  if (type === "gp3") return { ...input, VolumeType: "gp2", Iops: undefined, Throughput: undefined };
  const iops = Iops === undefined ? undefined : Math.min(gp3Iops.max, Math.max(gp3Iops.min, Iops));
  return { ...input, VolumeType: "gp3", Iops: iops };
}
