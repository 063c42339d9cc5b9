import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import type { ContainerClient } from "@azure/storage-blob";
import { azureDefaults, startAzureArm, startAzureBlob } from "@flotilla/test/emulators";
import type {
  AzureArmOptions,
  AzureArmStandIn,
  AzureBlobOptions,
  AzureBlobStandIn,
  LoggedRequest,
  StorageAccountSeed,
} from "@flotilla/test/emulators";

import { createThrowawayCertificate } from "../emulators/throwaway-certificate.ts";
import { Location } from "../wire/location.ts";
import { until } from "../wire/until.ts";
import { openWorkspace } from "./harness.ts";
import type { Session, Workspace } from "./harness.ts";

/** The storage account of every test that needs no other, and its access key. */
const accountName = "flotilla";
export const accountKey: string = randomBytes(64).toString("base64");

/** How a location differs from the usual one, which has the account's access key. */
export interface LocationOptions {
  /** Keys of the BackupStorageLocation beside or instead of the usual ones. */
  readonly config?: Readonly<Record<string, string>>;
  /** Keys of the usual configuration to leave out. */
  readonly without?: readonly string[];
  /** The lines of its credentials file. Default: the account's access key. */
  readonly lines?: Readonly<Record<string, string>>;
  /** What becomes of the container: made for this location, left as it is, or left out. Default: made. */
  readonly bucketIs?: "made" | "there" | "missing";
  /** The plugin process. Default: the one of the file. */
  readonly session?: Session;
}

/** A stand-in of Blob Storage and a plugin process, shared by the tests of one file. */
export interface BlobRig extends Workspace {
  readonly blob: AzureBlobStandIn;
  readonly session: Session;
  /** The SDK's own client: to look at the store from beside the plugin. */
  container(bucket: string): ContainerClient;
  /** Makes a container and opens a location on it. */
  open(bucket: string, options?: LocationOptions): Promise<Location>;
  /** The keys of the location that {@link open} would open. */
  configOf(bucket: string, options?: LocationOptions): Promise<Record<string, string>>;
  /** The requests that reached the store for a container, the probe's own left out; of one operation where it is given. */
  requestsOf(bucket: string, operation?: string): readonly LoggedRequest[];
  /** Waits until the plugin has staged a block in the container. */
  untilBlockArrived(bucket: string): Promise<void>;
  /** The names of all blobs of a container, those of which there are only uncommitted blocks included. */
  blobNames(bucket: string): Promise<readonly string[]>;
}

/** The smallest memoryLimit: blocks of 2 MiB, so that a few MiB make many. */
export const smallParts = { memoryLimit: "16Mi" };

/** The size of such blocks. */
export const smallPartBytes = 2 * 1024 ** 2;

/** How to start a rig: as the stand-in, but for what the rig decides. */
export interface BlobRigOptions extends Omit<AzureBlobOptions, "stateDir" | "accounts"> {
  readonly account?: Omit<StorageAccountSeed, "name" | "keys">;
  readonly otherAccounts?: readonly StorageAccountSeed[];
}

/** Starts the stand-in and a plugin process. */
export async function startBlobRig(options: BlobRigOptions = {}): Promise<BlobRig> {
  const { account, otherAccounts = [], ...standIn } = options;
  const workspace = await openWorkspace();
  const stateDir = join(workspace.folder, "state");
  const accounts = [{ ...account, name: accountName, keys: [accountKey] }, ...otherAccounts];
  const blob = await startAzureBlob({ ...standIn, stateDir, accounts });
  workspace.own(blob);
  const session = workspace.start();
  const service = createProbe(blob, standIn.tls?.cert, { name: accountName, key: accountKey });
  const container = (bucket: string): ContainerClient => service.getContainerClient(bucket);
  const requestsOf = (bucket: string, operation?: string): readonly LoggedRequest[] =>
    blob.log.entries(operation).filter((request) => request.bucket === bucket && !isProbe(request));
  const usualLines = { STORAGE_KEY: accountKey };
  const configOf = async (bucket: string, options: LocationOptions = {}): Promise<Record<string, string>> => {
    const { config, lines = usualLines, without = [] } = options;
    const usual = {
      bucket,
      prefix: "",
      storageAccount: accountName,
      storageAccountURI: blob.accountUrl(accountName),
      credentialsFile: await workspace.writeCredentials(bucket, lines),
      ...(standIn.tls === undefined ? {} : { caCert: String(standIn.tls.cert) }),
      ...(lines === usualLines ? { storageAccountKeyEnvVar: "STORAGE_KEY" } : {}),
      ...config,
    };
    return Object.fromEntries(Object.entries(usual).filter(([key]) => !without.includes(key)));
  };
  return {
    ...workspace,
    blob,
    session,
    container,
    configOf,
    requestsOf,
    open: async (bucket, options = {}) => {
      if ((options.bucketIs ?? "made") === "made") await container(bucket).create();
      const store = (options.session ?? session).manager.getObjectStore("velero.io/azure");
      await store.init(await configOf(bucket, options));
      return new Location(store, bucket, (key) => blob.blobFile(accountName, bucket, key));
    },
    untilBlockArrived: async (bucket) => {
      await until(`a block arrived in ${bucket}`, () =>
        requestsOf(bucket, "PutBlock").some((request) => request.status === 201),
      );
    },
    blobNames: async (bucket) => {
      const names: string[] = [];
      for await (const { name } of container(bucket).listBlobsFlat({ includeUncommitedBlobs: true })) names.push(name);
      return names;
    },
  };
}

/** A rig over TLS, with Azure Resource Manager and Entra beside it. */
export interface CloudRig extends BlobRig {
  readonly arm: AzureArmStandIn;
}

/** How to start Azure Resource Manager and Entra beside the rig. */
export interface CloudRigOptions extends Pick<BlobRigOptions, "account" | "otherAccounts" | "newestVersion"> {
  readonly identity?: AzureArmOptions["identity"];
  /** The versions that Azure Resource Manager knows. */
  readonly apiVersions?: readonly string[];
}

/** Starts a rig over TLS, whose locations may use tokens; their usual keys name all three stand-ins. */
export async function startCloudRig({ identity, apiVersions, ...blobs }: CloudRigOptions = {}): Promise<CloudRig> {
  const tls = createThrowawayCertificate("Azure stand-ins");
  const arm = await startAzureArm({
    tls,
    ...(identity === undefined ? {} : { identity }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
  });
  const rig = await startBlobRig({ tls, tokens: arm.tokens, ...blobs });
  rig.own(arm);
  arm.addStorageAccount({
    name: accountName,
    blobEndpoint: `${rig.blob.accountUrl(accountName)}/`,
    keys: [accountKey],
    resourceGroup: azureDefaults.resourceGroup,
  });
  const keys = { endpoint: arm.url, activeDirectoryAuthorityURI: arm.authorityUrl };
  return {
    ...rig,
    arm,
    configOf: async (bucket, options = {}) =>
      await rig.configOf(bucket, { ...options, config: { ...keys, ...options.config } }),
    open: async (bucket, options = {}) =>
      await rig.open(bucket, { ...options, config: { ...keys, ...options.config } }),
  };
}

/** The SDK's own client of an account, which is told apart from the plugin in the log. */
export function createProbe(
  blob: AzureBlobStandIn,
  ca: string | Buffer | undefined,
  { name, key }: { readonly name: string; readonly key: string },
): BlobServiceClient {
  // Of this process only: the plugin's trust is what its location says.
  if (ca !== undefined) setDefaultCACertificates([...getCACertificates(), String(ca)]);
  const credential = new StorageSharedKeyCredential(name, key);
  return new BlobServiceClient(blob.accountUrl(name), credential, {
    userAgentOptions: { userAgentPrefix: probeAgent },
  });
}

/** Told apart from the plugin in the log by this. */
const probeAgent = "wire-probe";

function isProbe(request: LoggedRequest): boolean {
  return request.headers.get("user-agent")?.includes(probeAgent) === true;
}
