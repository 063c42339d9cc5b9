import { after, describe, test } from "node:test";

import { gcpDefaults } from "./gce/seeds.ts";
import { startGce } from "./gce/start-gce.ts";
import { GoogleTokens } from "./google-identity/tokens.ts";
import { GceContext } from "./probes/gce/context.ts";
import { gceProbes } from "./probes/gce/probes.ts";

const kmsKey = "projects/flotilla/locations/us/keyRings/ring/cryptoKeys/key";
const tokens = new GoogleTokens();
const gce = await startGce({ tokens, kmsKeys: [kmsKey], pendingMs: 100, uploadMs: 1200, waitMs: 20 });
const context = new GceContext({
  endpoint: gce.url,
  project: gcpDefaults.projectId,
  token: tokens.issue(gcpDefaults.serviceAccount),
  region: gcpDefaults.region,
  zones: ["us-central1-a", "us-central1-b"],
  otherZone: "europe-west1-b",
  kmsKey,
});
after(async () => {
  context.close();
  await gce.close();
});

describe("the Compute Engine stand-in", { concurrency: 8 }, () => {
  for (const probe of gceProbes) test(probe.name, () => probe.run(context));
});
