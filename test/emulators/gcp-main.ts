import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { gcpDefaults } from "./gce/seeds.ts";
import { startGce } from "./gce/start-gce.ts";
import { startGcs } from "./gcs/start-gcs.ts";
import type { GcsBucketSeed } from "./gcs/start-gcs.ts";
import { readGceDiskSeed } from "./gcp-disk-seed.ts";
import { startGoogleIdentity } from "./google-identity/start-identity.ts";
import { takeRegionCommands } from "./region-commands.ts";
import { createThrowawayCertificate } from "./throwaway-certificate.ts";

// The stand-ins of Google Cloud as a program: prints one JSON line once they listen and runs until stdin ends or SIGTERM
// comes. Takes the commands of region-commands.ts on stdin.
const { values } = parseArgs({
  options: {
    state: { type: "string" },
    bucket: { type: "string", multiple: true, default: [] },
    disk: { type: "string", multiple: true, default: [] },
    "kms-key": { type: "string", multiple: true, default: [] },
    "pending-ms": { type: "string", default: "0" },
    // NAME:BUCKET, a service account and a bucket that no other tenant can use.
    tenant: { type: "string", multiple: true, default: [] },
    // Compute Engine over TLS, in the name under which clients know it.
    "compute-over-tls": { type: "boolean", default: false },
  },
});
const { state } = values;
if (state === undefined) throw new Error("--state DIR is required: the folder that keeps objects and disks");
const { projectId, serviceAccount } = gcpDefaults;
const identity = await startGoogleIdentity({
  // It signs URLs through IAM where it is the identity of the machine.
  serviceAccounts: [{ email: serviceAccount, projectId, tokenCreators: [serviceAccount] }],
  machine: { projectId, serviceAccount },
});
const { tokens } = identity;
// Of an account that is gone: what it signs is worth nothing.
const formerAccount = `former@${projectId}.iam.gserviceaccount.com`;
const formerKey = identity.serviceAccountKey(formerAccount);
identity.directory.removeServiceAccount(formerAccount);
const kmsKeys = values["kms-key"];
const tenants = values.tenant.map((text) => {
  const [name = "", bucket = ""] = text.split(":");
  return { email: `${name}@${projectId}.iam.gserviceaccount.com`, bucket };
});
const buckets = [...values.bucket.map(readBucketSeed), ...tenants.map(({ bucket }) => bucket)];
const gcs = await startGcs({ stateDir: state, buckets, tokens, kmsKeys });
for (const { email: member } of tenants) {
  for (const { bucket } of tenants.filter(({ email }) => email !== member)) {
    gcs.deny({ permissions: ["storage.*"], member, bucket });
  }
}
const tls = values["compute-over-tls"]
  ? createThrowawayCertificate("Compute Engine stand-in", "ec", ["compute.googleapis.com"])
  : undefined;
const disks = values.disk.map(readGceDiskSeed);
const gce = await startGce({
  stateDir: state,
  // Whoever names a disk means that its project is there.
  projects: [projectId, ...disks.flatMap(({ project }) => project ?? [])],
  tokens,
  kmsKeys,
  pendingMs: Number(values["pending-ms"]),
  disks,
  ...(tls === undefined ? {} : { tls }),
});
mkdirSync(state, { recursive: true });
const credentialsFile = join(state, "credentials.json");
writeFileSync(credentialsFile, identity.serviceAccountKey(serviceAccount), { mode: 0o600 });
const revokedCredentialsFile = join(state, "revoked-credentials.json");
writeFileSync(revokedCredentialsFile, formerKey, { mode: 0o600 });
const facts = {
  ...gcpDefaults,
  gcs: gcs.url,
  storeEndpoint: gcs.storeEndpoint,
  gce: gce.url,
  identity: identity.url,
  credentialsFile,
  revokedCredentialsFile,
  metadataHost: identity.metadataEnvironment["GCE_METADATA_HOST"],
  signBlobUrl: identity.signBlobUrl(serviceAccount),
  ...(tls === undefined ? {} : { computeCaPem: tls.cert }),
  ...(tenants.length === 0
    ? {}
    : { tenants: tenants.map(({ email, bucket }) => ({ bucket, credentials: identity.serviceAccountKey(email) })) }),
};
process.stdout.write(`${JSON.stringify(facts)}\n`);

const stop = async (): Promise<void> => {
  process.stdin.destroy();
  await Promise.all([gcs.close(), gce.close(), identity.close()]);
};
takeRegionCommands(
  {
    lose: (region) => {
      gce.refuseRegion(region);
      gcs.loseRegion(region);
    },
    restore: (region) => {
      gce.acceptRegion(region);
      gcs.restoreRegion(region);
    },
  },
  () => void stop(),
);
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());

/** Reads `NAME` or `NAME@LOCATION`. */
function readBucketSeed(text: string): GcsBucketSeed {
  const [name = "", location] = text.split("@");
  return location === undefined ? { name } : { name, location: location.toUpperCase() };
}
