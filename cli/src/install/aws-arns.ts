// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html, and the partitions of the vendor's SDK.
const partitions: readonly (readonly [regions: string, partition: string])[] = [
  ["cn-", "aws-cn"],
  ["us-gov-", "aws-us-gov"],
  ["eusc-", "aws-eusc"],
  ["us-iso-", "aws-iso"],
  ["us-isob-", "aws-iso-b"],
  ["eu-isoe-", "aws-iso-e"],
  ["us-isof-", "aws-iso-f"],
];

/** The partition that a region belongs to. */
export function partitionOf(region: string): string {
  return partitions.find(([regions]) => region.startsWith(regions))?.[1] ?? "aws";
}

/** A bucket is named by its own name or by the ARN of an access point, which S3 takes with a colon and IAM does not. */
export function bucketArn(bucket: string, partition: string): string {
  return bucket.startsWith("arn:")
    ? bucket.replace(":accesspoint:", ":accesspoint/")
    : `arn:${partition}:s3:::${bucket}`;
}

/** All objects of a bucket below a prefix. */
export function objectsArn(bucket: string, prefix: string, partition: string): string {
  const folder = prefix === "" ? "" : `${prefix}/`;
  return `${bucketArn(bucket, partition)}/${bucket.startsWith("arn:") ? "object/" : ""}${folder}*`;
}
