import type { Permission } from "@flotilla/sdk/plugin";

const objects = { part: "objects", scope: "objects" } as const;
const bucket = { part: "objects", scope: "bucket" } as const;
const volumes = { part: "volumes", scope: "volumes" } as const;

/**
 * Every permission that this plugin's requests need. Its test compares the requests with those in the code; `flotilla
 * install` makes the policy of it.
 */
export const permissions: readonly Permission[] = [
  { ...objects, name: "s3:GetObject", requests: ["GetObject", "HeadObject"] },
  {
    ...objects,
    name: "s3:PutObject",
    requests: [
      "PutObject",
      "CreateMultipartUpload",
      "UploadPart",
      "CompleteMultipartUpload",
      "CopyObject",
      "UploadPartCopy",
    ],
  },
  {
    ...objects,
    name: "s3:PutObjectTagging",
    requests: ["PutObject", "CreateMultipartUpload", "CopyObject"],
    keys: ["tagging"],
  },
  { ...objects, name: "s3:DeleteObject", requests: ["DeleteObject"] },
  { ...objects, name: "s3:AbortMultipartUpload", requests: ["AbortMultipartUpload"] },
  {
    ...objects,
    name: "s3:GetObjectAttributes",
    requests: ["GetObjectAttributes"],
    without: "an object with a SHA checksum takes one request for each of its parts more when it is read",
  },
  {
    ...objects,
    name: "s3:GetObjectRetention",
    requests: ["HeadObject"],
    without: "nobody is told until when an object of a bucket with Object Lock is retained",
  },
  {
    ...objects,
    name: "s3:GetObjectLegalHold",
    requests: ["HeadObject"],
    without: "nobody is told that an object is under a legal hold",
  },
  { ...bucket, name: "s3:ListBucket", requests: ["ListObjectsV2", "HeadBucket"] },
  {
    ...bucket,
    name: "s3:ListBucketMultipartUploads",
    requests: ["ListMultipartUploads"],
    without: "parts that a killed process left stay until a lifecycle rule removes them",
  },
  { ...volumes, name: "ec2:DescribeVolumes", requests: ["DescribeVolumes"] },
  { ...volumes, name: "ec2:DescribeSnapshots", requests: ["DescribeSnapshots"] },
  { ...volumes, name: "ec2:CreateSnapshot", requests: ["CreateSnapshot"] },
  { ...volumes, name: "ec2:CreateVolume", requests: ["CreateVolume"] },
  {
    ...volumes,
    name: "ec2:CreateTags",
    requests: ["CreateTags", "CreateSnapshot", "CreateVolume", "CopySnapshot"],
  },
  { ...volumes, name: "ec2:DeleteSnapshot", requests: ["DeleteSnapshot"] },
  { ...volumes, name: "ec2:CopySnapshot", requests: ["CopySnapshot"], keys: ["copyToRegions"] },
  { ...volumes, name: "ec2:DeleteVolume", requests: ["DeleteVolume"], keys: ["wait"] },
  { part: "objects", scope: "key", name: "kms:Decrypt", requests: [], keys: ["kmsKeyId", "copyTo"] },
  { part: "objects", scope: "key", name: "kms:GenerateDataKey", requests: [], keys: ["kmsKeyId", "copyTo"] },
  ...[
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
  ].map(ofKey),
];

/** EBS uses a customer's key in the name of who asks for a volume or a copy. */
function ofKey(name: string): Permission {
  return { part: "volumes", scope: "key", name, requests: [], keys: ["ebsKmsKeyId", "copyToRegions"] };
}
