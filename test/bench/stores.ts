import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { startAzurite, newStorageAccount } from "../interop/azurite-server.ts";
import type { RunningServer } from "../interop/child.ts";
import { startFakeGcs } from "../interop/gcs-server.ts";
import { prepareS3 } from "../interop/prepare-conformance.ts";
import { azurite, fakeGcsServer, versitygw } from "../interop/toolchain.ts";
import type { Installation } from "../interop/toolchain.ts";
import { startVersitygw } from "../interop/versitygw-server.ts";
import type { BenchProvider } from "./metrics.ts";

/** A store that runs, and how a location reaches it. */
export interface BenchStore {
  readonly server: RunningServer;
  /** Over plain HTTP, so that the distance can be put before it. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Keys of the location, with {@link endpointPlace} where the endpoint belongs. */
  readonly location: Readonly<Record<string, string>>;
  /** The text of the credentials file. */
  readonly credentials: string;
}

// As the Go side knows it.
const endpointPlace = "{endpoint}";
const bucket = "bench";

/** The store of each provider, on the local disk. */
export const benchStores: Readonly<
  Record<BenchProvider, { readonly needs: Installation; start(dir: string): Promise<BenchStore> }>
> = {
  aws: { needs: versitygw, start: startS3 },
  azure: { needs: azurite, start: startBlob },
  gcp: { needs: fakeGcsServer, start: startCloudStorage },
};

async function startS3(dir: string): Promise<BenchStore> {
  const { server, s3 } = await startVersitygw(dir);
  await prepareS3(s3, [bucket]);
  const { accessKeyId, secretAccessKey } = s3.keys;
  return {
    server,
    endpoint: s3.endpoint,
    bucket,
    location: { region: s3.region, s3Url: endpointPlace, s3ForcePathStyle: "true" },
    credentials: `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`,
  };
}

async function startBlob(dir: string): Promise<BenchStore> {
  const account = newStorageAccount("bench");
  const server = await startAzurite({ dir, accounts: [account], onDisk: true });
  const credential = new StorageSharedKeyCredential(account.name, account.key);
  await new BlobServiceClient(`${server.endpoint}/${account.name}`, credential).createContainer(bucket);
  const line = "AZURE_STORAGE_ACCOUNT_ACCESS_KEY";
  return {
    server,
    endpoint: server.endpoint,
    bucket,
    location: {
      storageAccount: account.name,
      storageAccountURI: `${endpointPlace}/${account.name}`,
      storageAccountKeyEnvVar: line,
    },
    credentials: `${line}=${account.key}\n`,
  };
}

async function startCloudStorage(dir: string): Promise<BenchStore> {
  const { server, endpoint, credentials } = await startFakeGcs(dir, [bucket], { onDisk: true });
  return {
    server,
    endpoint: new URL(endpoint).origin,
    bucket,
    location: { storeEndpoint: `${endpointPlace}/storage/v1/` },
    credentials,
  };
}
