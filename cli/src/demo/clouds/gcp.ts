import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { at, sizeGiBOf } from "../../backup-layout/persistent-volume-fields.ts";
import type { DemoCloud, DemoLocations } from "../demo-cloud.ts";
import { requireFact } from "../stand-in-facts.ts";
import type { StandInFacts } from "../stand-in-facts.ts";
import { standInFolder } from "../stand-in-folder.ts";

// The stand-ins' own.
const project = "flotilla";
const homeRegion = "us-central1";
const otherRegion = "europe-west1";
const defaultZone = `${homeRegion}-a`;

/** Cloud Storage and persistent disks. */
export const gcpDemoCloud: DemoCloud = {
  provider: "gcp",
  services: "Cloud Storage, Compute Engine and Google's identity endpoints",
  printObject: (bucket, key) => `gs://${bucket}/${key}`,
  ownsVariable: (name) => /^(GOOGLE_|GCE_|GCLOUD_|CLOUDSDK_)/.test(name) || name === "STORAGE_EMULATOR_HOST",
  volumeOf: (volume, zone) => {
    const handle = at(volume, "spec", "csi", "volumeHandle");
    const inTree = at(volume, "spec", "gcePersistentDisk", "pdName");
    const match = typeof handle === "string" ? diskHandle.exec(handle) : null;
    const name = match?.[3] ?? (typeof inTree === "string" ? inTree : undefined);
    if (name === undefined) return undefined;
    const place = `project=${match?.[1] ?? project},zone=${match?.[2] ?? (zone || defaultZone)}`;
    // By the name of its storage class, as GKE has them.
    const type = at(volume, "spec", "storageClassName") === "premium-rwo" ? "pd-ssd" : "pd-balanced";
    const seed = `name=${name},${place},type=${type},sizeGb=${Math.max(10, sizeGiBOf(volume))}`;
    return { id: `${place}/${name}`, args: ["--disk", seed] };
  },
  standIns: ({ state, bucket, copyBucket, pendingMs }) => {
    const buckets = [`${bucket}@${homeRegion}`, `${copyBucket}@${otherRegion}`].flatMap((name) => ["--bucket", name]);
    const args = ["--state", state, "--pending-ms", String(pendingMs), ...buckets];
    return { path: join(standInFolder, "gcp-main.ts"), args };
  },
  printEndpoints: (facts) => `${requireFact(facts, "gcs")} ${requireFact(facts, "gce")}`,
  locate,
  regions: {
    lost: homeRegion,
    other: otherRegion,
    copied: (_facts, copyBucket) => ({
      config: { copyTo: `gs://${copyBucket}` },
      // In its own region, unlike the default: a multi-region outlives the loss of one, and then there is nothing to copy.
      volumeConfig: { snapshotLocation: homeRegion, copyToRegions: otherRegion },
    }),
    locateElsewhere: (facts) => {
      const { credentials, config, volumeConfig } = locate(facts);
      const zoneMap = `${homeRegion}-a=${otherRegion}-b, ${homeRegion}-b=${otherRegion}-c`;
      return { credentials, config, volumeConfig: { ...volumeConfig, zoneMap, defaultZone: `${otherRegion}-d` } };
    },
  },
  objectFile: (state, bucket, key) => {
    const file = createHash("sha256").update(key).digest("hex");
    return join(state, "gcs", "buckets", bucket, "objects", file, "data");
  },
};

const diskHandle = /^projects\/([^/]+)\/zones\/([^/]+)\/disks\/([^/]+)$/;

function locate(facts: StandInFacts): DemoLocations {
  return {
    credentials: readFileSync(requireFact(facts, "credentialsFile"), "utf8"),
    config: { storeEndpoint: requireFact(facts, "storeEndpoint") },
    volumeConfig: { endpoint: requireFact(facts, "gce") },
  };
}
