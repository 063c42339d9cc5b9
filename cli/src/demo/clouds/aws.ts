import { createHash } from "node:crypto";
import { join } from "node:path";

import { at, sizeGiBOf } from "../../backup-layout/persistent-volume-fields.ts";
import type { DemoCloud, DemoLocations } from "../demo-cloud.ts";
import { requireFact } from "../stand-in-facts.ts";
import type { StandInFacts } from "../stand-in-facts.ts";
import { standInFolder } from "../stand-in-folder.ts";

const homeRegion = "us-east-1";
const defaultZone = `${homeRegion}a`;
const otherRegion = "eu-west-1";

/** S3 and EBS. */
export const awsDemoCloud: DemoCloud = {
  provider: "aws",
  services: "S3 and EC2",
  printObject: (bucket, key) => `s3://${bucket}/${key}`,
  ownsVariable: (name) => name.startsWith("AWS_"),
  volumeOf: (volume, zone) => {
    const handle = at(volume, "spec", "csi", "volumeHandle") ?? at(volume, "spec", "awsElasticBlockStore", "volumeID");
    const id = typeof handle === "string" ? /vol-[0-9a-f]+$/.exec(handle)?.[0] : undefined;
    if (id === undefined) return undefined;
    // By the name of its storage class; gp3 where that names none that needs no more settings.
    const type = at(volume, "spec", "storageClassName") === "gp2" ? "gp2" : "gp3";
    const seed = `id=${id},zone=${zone || defaultZone},type=${type},sizeGiB=${sizeGiBOf(volume)}`;
    return { id, args: ["--volume", seed] };
  },
  standIns: ({ state, bucket, copyBucket, pendingMs }) => {
    const buckets = [bucket, `${copyBucket}@${otherRegion}`].flatMap((name) => ["--bucket", name]);
    const args = ["--state", state, "--pending-ms", String(pendingMs), ...buckets];
    return { path: join(standInFolder, "main.ts"), args };
  },
  printEndpoints: (facts) => `${requireFact(facts, "s3")} ${requireFact(facts, "ec2")}`,
  locate: (facts) => locate(facts, requireFact(facts, "region")),
  regions: {
    lost: homeRegion,
    other: otherRegion,
    copied: (_facts, copyBucket) => ({
      config: { copyTo: `s3://${copyBucket}?region=${otherRegion}` },
      volumeConfig: { copyToRegions: otherRegion },
    }),
    locateElsewhere: (facts) => {
      const { credentials, config, volumeConfig } = locate(facts, otherRegion);
      const zones = { zoneMap: `${defaultZone}=${otherRegion}b`, defaultZone: `${otherRegion}a` };
      return { credentials, config, volumeConfig: { ...volumeConfig, ...zones } };
    },
  },
  objectFile: (state, bucket, key) => join(state, "s3", bucket, createHash("sha256").update(key).digest("hex"), "data"),
};

function locate(facts: StandInFacts, region: string): DemoLocations {
  return {
    credentials: profile(facts),
    config: { region, s3Url: requireFact(facts, "s3"), s3ForcePathStyle: "true" },
    volumeConfig: { region, endpoint: requireFact(facts, "ec2") },
  };
}

function profile(facts: StandInFacts): string {
  const keyId = requireFact(facts, "accessKeyId");
  const secret = requireFact(facts, "secretAccessKey");
  return `[default]\naws_access_key_id=${keyId}\naws_secret_access_key=${secret}\n`;
}
