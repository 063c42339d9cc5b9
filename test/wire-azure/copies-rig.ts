import { randomBytes } from "node:crypto";

import type { ContainerClient } from "@azure/storage-blob";
import type { StorageAccountSeed } from "@flotilla/test/emulators";

import type { Location } from "../wire/location.ts";
import { bucketLog } from "../wire/bucket-log.ts";
import type { BucketLog } from "../wire/bucket-log.ts";
import { accountKey, createProbe, startBlobRig, startCloudRig } from "./blob-rig.ts";
import type { BlobRig, BlobRigOptions, LocationOptions } from "./blob-rig.ts";

/** The region of the account that copies go to. */
export const otherRegion = "westeurope";
/** The region of the location's own account. */
export const ownRegion = "eastus";

const otherAccount = "flotillacopies";
const otherKey = randomBytes(64).toString("base64");
const lines = { STORAGE_KEY: accountKey, OTHER_KEY: otherKey };

/** How a location with a copy differs from the usual one. */
interface CopiedOptions extends LocationOptions {
  /** More of the target's query. */
  readonly query?: Readonly<Record<string, string>>;
  /** Of the target. */
  readonly prefix?: string;
}

/** A location whose objects are copied to a container of the other account. */
export interface Copied {
  readonly location: Location;
  readonly bucket: string;
  /** The container of the copies, looked at from beside the plugin. */
  readonly copies: ContainerClient;
  readonly copyBucket: string;
}

/** A rig with an account in another region. */
export interface CopiesRig extends BlobRig, BucketLog {
  /** Makes both containers and opens a location. */
  openCopied(bucket: string, options?: CopiedOptions): Promise<Copied>;
  /** The location's configuration and its copy's as one of its own. */
  configsOf(
    bucket: string,
    options?: CopiedOptions,
  ): Promise<{
    readonly own: Record<string, string>;
    readonly copy: Record<string, string>;
  }>;
}

/** How to start both accounts; `other` is what the account of the copies has. */
export interface CopiesRigOptions {
  readonly account?: BlobRigOptions["account"];
  readonly other?: Omit<StorageAccountSeed, "name" | "keys" | "region">;
  /** Over TLS, with Entra and Resource Manager beside it. */
  readonly isCloud?: boolean;
}

/** Starts the stand-in with both accounts, and a plugin process. */
export async function startCopiesRig({ account, other, isCloud = false }: CopiesRigOptions = {}): Promise<CopiesRig> {
  const rig = await (isCloud ? startCloudRig : startBlobRig)({
    account: { region: ownRegion, ...account },
    otherAccounts: [{ region: otherRegion, ...other, name: otherAccount, keys: [otherKey] }],
  });
  // The certificate is trusted since the rig has a probe of its own.
  const service = createProbe(rig.blob, undefined, { name: otherAccount, key: otherKey });
  const configsOf = async (bucket: string, options: CopiedOptions = {}): ReturnType<CopiesRig["configsOf"]> => {
    const { query, prefix, ...location } = options;
    const isKeyed = location.lines === undefined;
    const copyBucket = `${bucket}-copy`;
    const target = {
      storageAccount: otherAccount,
      storageAccountURI: rig.blob.accountUrl(otherAccount),
      ...(isKeyed ? { storageAccountKeyEnvVar: "OTHER_KEY" } : {}),
    };
    const search = new URLSearchParams({ ...target, ...query }).toString();
    const copyTo = `azblob://${copyBucket}${prefix === undefined ? "" : `/${prefix}`}?${search}`;
    const named = { ...(isKeyed ? { storageAccountKeyEnvVar: "STORAGE_KEY" } : {}), copyTo };
    const own = await rig.configOf(bucket, { lines, ...location, config: { ...named, ...location.config } });
    const { copyTo: _, ...shared } = own;
    return { own, copy: { ...shared, ...target, bucket: copyBucket, prefix: prefix ?? own["prefix"] ?? "" } };
  };
  return {
    ...rig,
    configsOf,
    openCopied: async (bucket, options = {}) => {
      const copyBucket = `${bucket}-copy`;
      const copies = service.getContainerClient(copyBucket);
      await copies.createIfNotExists();
      const { own } = await configsOf(bucket, options);
      const location = await rig.open(bucket, { lines, ...options, config: own });
      return { location, bucket, copies, copyBucket };
    },
    ...bucketLog(rig.session),
  };
}
