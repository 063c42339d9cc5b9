import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startConnectProxy } from "../wire/connect-proxy.ts";
import type { RunningServer } from "./child.ts";
import { rootDir } from "./paths.ts";
import { serveControl } from "./stand-in-control.ts";
import { startStandInProcess } from "./stand-in-process.ts";
import type { GceTarget, GcsTarget } from "./spec.ts";

const otherProject = "interop-2";
const kmsKey = "projects/flotilla/locations/us/keyRings/velero/cryptoKeys/backups";
const name = "gcp-stand-in";
const bucket = "interop";
const copyBucket = "interop-copies";
const homeRegion = "us-central1";
const otherRegion = "europe-west1";
const tenants = ["north", "south"].map((name) => `--tenant=${name}:interop-${name}`);

/** What the stand-ins of Google Cloud print when they are ready. */
type Ready = Readonly<Record<(typeof facts)[number], string>> & Required<Pick<GcsTarget, "tenants">>;

const facts = [
  "gcs",
  "gce",
  "computeCaPem",
  "credentialsFile",
  "revokedCredentialsFile",
  "projectId",
  "region",
  "zone",
] as const;

/** Starts our own stand-ins of Cloud Storage, Compute Engine and Google's identity endpoints. */
export async function startGcpStandIns(
  dir: string,
): Promise<{ server: RunningServer; gcs: GcsTarget; gce: GceTarget }> {
  const state = join(dir, "gcp-stand-ins");
  const program = join(rootDir, "test", "emulators", "gcp-main.ts");
  const seed = `--disk=name=seed,project=${otherProject}`;
  const manner = ["--compute-over-tls", "--pending-ms=300"];
  const { line, tell, stop } = await startStandInProcess(program, [
    "--state",
    state,
    seed,
    ...tenants,
    ...manner,
    "--kms-key",
    kmsKey,
    `--bucket=${bucket}@${homeRegion}`,
    `--bucket=${copyBucket}@${otherRegion}`,
  ]);
  const control = await serveControl(tell);
  const ready = parseReady(line);
  const caFile = join(dir, "gcp-stand-ins.pem");
  await writeFile(caFile, ready.computeCaPem);
  const [credentials, refused] = await Promise.all(
    [ready.credentialsFile, ready.revokedCredentialsFile].map((file) => readFile(file, "utf8")),
  );
  if (credentials === undefined || refused === undefined) throw new Error("two files of credentials are needed");
  const proxy = await startConnectProxy(Number(new URL(ready.gce).port));
  const { projectId: project, region, zone } = ready;
  return {
    server: {
      name: "gcp-stand-ins",
      endpoint: ready.gcs,
      stop: async () => void (await Promise.all([control.close(), stop(), proxy.close()])),
    },
    gcs: {
      ...gcsTarget(ready, control.url),
      credentials,
      refused,
      dataDir: join(state, "gcs", "buckets"),
    },
    gce: {
      name,
      endpoint: ready.gce,
      proxy: proxy.url,
      caFile,
      credentials,
      refused,
      project,
      otherProject,
      region,
      zones: [zone, `${region}-b`],
      otherRegion,
      control: control.url,
    },
  };
}

function gcsTarget(ready: Ready, control: string): Omit<GcsTarget, "credentials"> {
  return {
    name,
    endpoint: ready.gcs,
    project: ready.projectId,
    bucket,
    capabilities: [
      "authenticates",
      "data-files",
      "tenants",
      "keeps-part-checksums",
      "resumes-uploads",
      "kms-keys",
      "loses-regions",
    ],
    kmsKey,
    tenants: ready.tenants,
    copies: { regions: [homeRegion, otherRegion], bucket: copyBucket, control },
  };
}

function parseReady(line: string): Ready {
  // The parse edge: what is missing shows here and not in a check.
  const parsed = JSON.parse(line) as Partial<Ready>;
  const missing = [...facts, "tenants" as const].filter((name) => !parsed[name]);
  if (missing.length > 0) throw new Error(`the stand-ins said nothing of ${missing.join(", ")}`);
  return parsed as Ready;
}
