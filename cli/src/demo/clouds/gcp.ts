import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { at, sizeGiBOf } from "../../backup-layout/persistent-volume-fields.ts";
import type { DemoCloud } from "../demo-cloud.ts";
import { requireFact } from "../stand-in-facts.ts";
import { standInFolder } from "../stand-in-folder.ts";

// The stand-ins' own.
const project = "flotilla";
const region = "us-central1";
const otherRegion = "europe-west1";
const defaultZone = `${region}-a`;

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
    const buckets = [`${bucket}@${region}`, `${copyBucket}@${otherRegion}`].flatMap((name) => ["--bucket", name]);
    const args = ["--state", state, "--pending-ms", String(pendingMs), ...buckets];
    return { path: join(standInFolder, "gcp-main.ts"), args };
  },
  printEndpoints: (facts) => `${requireFact(facts, "gcs")} ${requireFact(facts, "gce")}`,
  locate: (facts) => ({
    credentials: readFileSync(requireFact(facts, "credentialsFile"), "utf8"),
    config: { storeEndpoint: requireFact(facts, "storeEndpoint") },
    volumeConfig: { endpoint: requireFact(facts, "gce") },
  }),
  regions: {
    lost: region,
    other: otherRegion,
    copyKeys: (copyBucket) => ({ copyTo: `gs://${copyBucket}` }),
    elsewhere: { config: {}, volumeConfig: { defaultZone: `${otherRegion}-b` } },
  },
  objectFile: (state, bucket, key) => {
    const file = createHash("sha256").update(key).digest("hex");
    return join(state, "gcs", "buckets", bucket, "objects", file, "data");
  },
};

const diskHandle = /^projects\/([^/]+)\/zones\/([^/]+)\/disks\/([^/]+)$/;
