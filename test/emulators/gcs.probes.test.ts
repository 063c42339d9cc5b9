import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { startGcs } from "./gcs/start-gcs.ts";
import { GoogleTokens } from "./google-identity/tokens.ts";
import { GcsContext } from "./probes/gcs/context.ts";
import { gcsProbes } from "./probes/gcs/probes.ts";

const stateDir = await mkdtemp(join(tmpdir(), "gcs-probes-"));
const email = "probes@flotilla.iam.gserviceaccount.com";
const kmsKey = "projects/flotilla/locations/us/keyRings/ring/cryptoKeys/key";
const tokens = new GoogleTokens();
const serviceAccountKey = JSON.stringify(tokens.directory.createKey(email, "https://oauth2.googleapis.com/token"));
const gcs = await startGcs({ stateDir, tokens, kmsKeys: [kmsKey] });
const target = { endpoint: gcs.url, projectId: "flotilla", token: tokens.issue(email), serviceAccountKey, kmsKey };
const context = new GcsContext(target);
after(async () => {
  context.close();
  await gcs.close();
  await rm(stateDir, { recursive: true });
});

describe("the GCS stand-in", { concurrency: 8 }, () => {
  for (const probe of gcsProbes) test(probe.name, () => probe.run(context));
});
