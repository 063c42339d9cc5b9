import { createHash, randomBytes } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import {
  BlobSASPermissions,
  BlobServiceClient,
  ContainerSASPermissions,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import type {
  AnonymousCredential,
  BlockBlobClient,
  BlockBlobUploadOptions,
  ContainerClient,
} from "@azure/storage-blob";

import type { TokenAuthority } from "../../azure-identity/tokens.ts";
import { createCrc64Nvme } from "../../crc.ts";

/** A storage account that is probed. */
export interface ProbedAccount {
  readonly name: string;
  /** Base64. */
  readonly key: string;
}

/** The store that is probed: three accounts behind one address, which comes before the account's name. */
export interface BlobTarget {
  readonly endpoint: string;
  readonly main: ProbedAccount;
  readonly other: ProbedAccount;
  /** Keeps versions; its container `immutable` may hold policies. */
  readonly versioned: ProbedAccount;
  /** An encryption scope of the main account. */
  readonly encryptionScope: string;
  readonly tokens: TokenAuthority;
  /** The authority of the server's certificate, in PEM. */
  readonly ca?: string;
}

/** The part of the SDK's token credential that its clients use. */
interface TokenSource {
  getToken(): Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>;
}

type ServiceCredential = StorageSharedKeyCredential | AnonymousCredential | TokenSource;

const principal = {
  tenantId: "11111111-1111-1111-1111-111111111111",
  objectId: "22222222-2222-2222-2222-222222222222",
  clientId: "33333333-3333-3333-3333-333333333333",
};

/** What a probe works with: clients, containers and fresh names. */
export class BlobContext {
  readonly target: BlobTarget;
  readonly service: BlobServiceClient;
  readonly credential: StorageSharedKeyCredential;
  readonly #containers = new Map<string, Promise<ContainerClient>>();

  constructor(target: BlobTarget) {
    this.target = target;
    if (target.ca !== undefined) setDefaultCACertificates([...getCACertificates(), target.ca]);
    this.credential = new StorageSharedKeyCredential(target.main.name, target.main.key);
    this.service = this.serviceWith(this.credential);
  }

  /** Makes a client of an account, by default the main one. */
  serviceWith(credential: ServiceCredential, account: ProbedAccount = this.target.main): BlobServiceClient {
    const url = `${this.target.endpoint}/${account.name}`;
    return new BlobServiceClient(url, credential, { retryOptions: { maxTries: 1 } });
  }

  serviceOf(account: ProbedAccount): BlobServiceClient {
    return this.serviceWith(new StorageSharedKeyCredential(account.name, account.key), account);
  }

  /** Returns a credential of Entra's. */
  tokenCredential(audience = "https://storage.azure.com/", lifetimeMs = 3_600_000): ServiceCredential {
    const token = this.target.tokens.issue(principal, audience, lifetimeMs);
    return { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  }

  /** Returns a name that nobody else uses. */
  name(suffix = ""): string {
    return `probe-${randomBytes(6).toString("hex")}${suffix}`;
  }

  /** Returns the container of most probes. */
  async container(): Promise<ContainerClient> {
    return await this.#once("main", () => this.newContainer());
  }

  async otherContainer(): Promise<ContainerClient> {
    return await this.#once("other", () => this.newContainer(this.target.other));
  }

  async versionedContainer(): Promise<ContainerClient> {
    return await this.#once("versioned", () => this.newContainer(this.target.versioned));
  }

  async immutableContainer(): Promise<ContainerClient> {
    return await this.#once("immutable", async () => {
      const container = this.serviceOf(this.target.versioned).getContainerClient("immutable");
      await container.createIfNotExists();
      return container;
    });
  }

  async newContainer(account: ProbedAccount = this.target.main): Promise<ContainerClient> {
    const container = this.serviceOf(account).getContainerClient(`probe-${randomBytes(8).toString("hex")}`);
    await container.create();
    return container;
  }

  /** Returns a blob of the usual container that does not exist yet. */
  async blob(suffix = ""): Promise<BlockBlobClient> {
    return (await this.container()).getBlockBlobClient(this.name(suffix));
  }

  /** Stores a blob in the usual container. */
  async put(body: Buffer | string, options: BlockBlobUploadOptions = {}): Promise<BlockBlobClient> {
    const blob = await this.blob();
    await blob.upload(body, Buffer.byteLength(body), options);
    return blob;
  }

  /** Signs the URL of a container for a minute. */
  async containerSas(container: ContainerClient, permissions: string): Promise<string> {
    const expiresOn = new Date(Date.now() + 60_000);
    return await container.generateSasUrl({ permissions: ContainerSASPermissions.parse(permissions), expiresOn });
  }

  close(): void {
    this.#containers.clear();
  }

  async #once(name: string, make: () => Promise<ContainerClient>): Promise<ContainerClient> {
    const made = this.#containers.get(name) ?? make();
    this.#containers.set(name, made);
    return await made;
  }
}

/** Returns the MD5 of bytes. */
export function md5Of(bytes: Buffer | string): Buffer {
  return createHash("md5").update(bytes).digest();
}

/** Returns Azure's CRC64 of bytes. */
export function crc64Of(bytes: Buffer | string): Buffer {
  const crc = createCrc64Nvme();
  crc.update(Buffer.from(bytes));
  return Buffer.from(crc.digest().toReversed());
}

/** Returns ids of so many blocks, all of the same length. */
export function blockIds(count: number): string[] {
  const run = randomBytes(6).toString("hex");
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(`${run}-${String(i).padStart(6, "0")}`).toString("base64"),
  );
}

/** Reads a blob whole. */
export async function readAll(blob: BlockBlobClient): Promise<string> {
  return (await blob.downloadToBuffer()).toString();
}

/** Collects a listing. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Signs the URL of a blob for a minute. */
export async function sasUrl(blob: BlockBlobClient, permissions: string): Promise<string> {
  const expiresOn = new Date(Date.now() + 60_000);
  return await blob.generateSasUrl({ permissions: BlobSASPermissions.parse(permissions), expiresOn });
}

/** Gets a URL and tells status and error code. */
export async function get(url: string, init: RequestInit = {}): Promise<readonly [number, string | null]> {
  const response = await fetch(url, init);
  await response.arrayBuffer();
  return [response.status, response.headers.get("x-ms-error-code")];
}
