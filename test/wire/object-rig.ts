import { join } from "node:path";

import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from "@aws-sdk/client-s3";
import type { BucketLocationConstraint } from "@aws-sdk/client-s3";
import { startS3 } from "@flotilla/test/emulators";
import type { Account, LoggedRequest, S3Options, S3StandIn } from "@flotilla/test/emulators";

import { hashKey } from "../emulators/versioned-files.ts";
import { openWorkspace, owner } from "./harness.ts";
import type { Session, Workspace } from "./harness.ts";
import { Location } from "./location.ts";
import { seedObjects } from "./seed-objects.ts";
import { until } from "./until.ts";

/** How a location differs from the usual one. */
export interface LocationOptions {
  /** Keys of the BackupStorageLocation beside or instead of the usual ones. */
  readonly config?: Readonly<Record<string, string>>;
  /** Whose credentials file the location names. Default: the owner's. */
  readonly account?: Account;
  /** Where the bucket lives. Default: us-east-1. */
  readonly bucketRegion?: string;
  /** What becomes of the bucket: made for this location, left as it is, or left out. Default: made. */
  readonly bucketIs?: "made" | "there" | "missing";
  /** The plugin process. Default: the one of the file. */
  readonly session?: Session;
}

/** An S3 stand-in and a plugin process, shared by the tests of one file. */
export interface ObjectRig extends Workspace {
  readonly s3: S3StandIn;
  readonly session: Session;
  /** The SDK's own client: to look at the store from beside the plugin. */
  readonly probe: S3Client;
  /** Makes a bucket and opens a location on it. */
  open(bucket: string, options?: LocationOptions): Promise<Location>;
  /** The keys of the location that {@link open} would open. */
  configOf(bucket: string, options?: LocationOptions): Promise<Record<string, string>>;
  createBucket(name: string, region?: string): Promise<void>;
  /** The requests that reached the store for a bucket, the probe's own left out; of one operation where it is given. */
  requestsOf(bucket: string, operation?: string): readonly LoggedRequest[];
  /** The number of uploads in the bucket that are neither complete nor aborted. */
  countUploads(bucket: string): Promise<number>;
  /** Waits until the plugin has sent a part of an upload to the bucket. */
  untilPartArrived(bucket: string): Promise<void>;
}

/** The smallest memoryLimit: parts of S3's minimum size, so that a few MiB make many. */
export const smallParts = { memoryLimit: "16Mi" };

/** The size of such parts. */
export const smallPartBytes = 5 * 1024 ** 2;

/** How to start a rig: as the stand-in, but for what the rig decides. */
export interface ObjectRigOptions extends Omit<S3Options, "stateDir" | "accounts"> {
  /** Buckets that are there with these keys before the stand-in starts. */
  readonly seeds?: Readonly<Record<string, readonly string[]>>;
}

/** Starts the stand-in and a plugin process. */
export async function startObjectRig({ seeds = {}, ...standIn }: ObjectRigOptions = {}): Promise<ObjectRig> {
  const workspace = await openWorkspace();
  const stateDir = join(workspace.folder, "state");
  for (const [bucket, keys] of Object.entries(seeds)) await seedObjects(stateDir, bucket, keys);
  const s3 = await startS3({ ...standIn, stateDir, accounts: workspace.accounts });
  workspace.own(s3);
  workspace.accounts.add(prober);
  const probe = createProbe(s3.url, standIn.tls?.cert);
  workspace.own({ close: async () => probe.destroy() });
  const session = workspace.start();
  const createBucket = async (name: string, region = "us-east-1"): Promise<void> => {
    const configuration = { LocationConstraint: region as BucketLocationConstraint };
    const elsewhere = region === "us-east-1" ? {} : { CreateBucketConfiguration: configuration };
    await probe.send(new CreateBucketCommand({ Bucket: name, ...elsewhere }));
  };
  const requestsOf = (bucket: string, operation?: string): readonly LoggedRequest[] =>
    s3.log.entries(operation).filter((request) => request.bucket === bucket && !isProbe(request));
  const configOf = async (bucket: string, { config, account = owner }: LocationOptions = {}) => ({
    bucket,
    prefix: "",
    region: "us-east-1",
    s3Url: s3.url,
    s3ForcePathStyle: "true",
    credentialsFile: await workspace.writeCredentials(`${bucket}-${account.accessKeyId}`, account),
    ...config,
  });
  return {
    ...workspace,
    s3,
    session,
    probe,
    createBucket,
    configOf,
    open: async (bucket, options = {}) => {
      if ((options.bucketIs ?? "made") === "made") await createBucket(bucket, options.bucketRegion);
      const store = (options.session ?? session).manager.getObjectStore("velero.io/aws");
      await store.init(await configOf(bucket, options));
      return new Location(store, bucket, (key) => join(stateDir, "s3", bucket, hashKey(key), "data"));
    },
    requestsOf,
    untilPartArrived: async (bucket) => {
      await until(`a part arrived in ${bucket}`, () =>
        requestsOf(bucket, "UploadPart").some((request) => request.status === 200),
      );
    },
    countUploads: async (bucket) => {
      const { Uploads = [] } = await probe.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.length;
    },
  };
}

/** Told apart from the plugin in the log by its access key. */
const prober: Account = { accessKeyId: "AKIAPROBER", secretAccessKey: "prober-secret" };

function isProbe(request: LoggedRequest): boolean {
  return request.headers.get("authorization")?.includes(prober.accessKeyId) === true;
}

function createProbe(endpoint: string, ca: string | Buffer | undefined): S3Client {
  return new S3Client({
    endpoint,
    region: "us-east-1",
    credentials: prober,
    forcePathStyle: true,
    followRegionRedirects: true,
    // What a test does not ask for is not sent: objects without a checksum are among what it looks at.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(ca === undefined ? {} : { requestHandler: { httpsAgent: { ca } } }),
  });
}
