import { BlobServiceClient, newPipeline } from "@azure/storage-blob";
import type { ContainerClient } from "@azure/storage-blob";
import type { HttpClient } from "@azure/core-rest-pipeline";
import type { Call } from "@flotilla/sdk/plugin";
import { blobApiVersion, nameVersion } from "./azure-blob-version.ts";
import { userAgentPrefix } from "./client.ts";
import { codeOf, translateBlobError } from "./errors.ts";
import type { Attempt } from "./errors.ts";
import { PatientClient } from "./patient-client.ts";
import type { StorageAccess, StorageAccount } from "./storage-account.ts";

/** How the client of one container is made. */
export interface AzureBlobSessionOptions {
  readonly bucket: string;
  readonly account: StorageAccount;
  readonly httpClient: HttpClient;
  /** Of one request, the first included; 6 unless told. */
  readonly maxTries?: number;
}

/** What an operation passes on to the SDK. */
export interface SendOptions {
  readonly abortSignal: AbortSignal;
}

interface OpenedContainer {
  readonly access: StorageAccess;
  readonly version: string;
  readonly service: BlobServiceClient;
  readonly client: ContainerClient;
}

/** One operation of the SDK. Its account's client is for what no container can do. */
export type Operation<T> = (client: ContainerClient, options: SendOptions, service: BlobServiceClient) => Promise<T>;

// About eight seconds in all for a throttled store; puts and gets are tried again beyond that by the layers.
const defaultMaxTries = 6;
const firstDelayMs = 300;
const maxDelayMs = 10_000;

/** The client of one container (bucket), made with the first request. */
export class AzureBlobSession {
  readonly bucket: string;
  readonly account: StorageAccount;
  readonly #options: AzureBlobSessionOptions;
  #opened: readonly OpenedContainer[] = [];

  constructor(options: AzureBlobSessionOptions) {
    this.bucket = options.bucket;
    this.account = options.account;
    this.#options = options;
  }

  /** Runs one operation; a failure becomes a PluginError that says what was tried. */
  async run<T>(attempt: Attempt, call: Call, operation: Operation<T>, version = blobApiVersion): Promise<T> {
    const opened = await this.#open(version, call);
    try {
      return await operation(opened.client, { abortSignal: call.signal }, opened.service);
    } catch (error) {
      // An access key that was asked for may have been replaced since.
      const isRefused = codeOf(error) === "AuthenticationFailed" && this.account.forget(opened.access);
      if (!isRefused) throw translateBlobError(error, { ...attempt, signal: call.signal });
      call.log.debug("the account's access key is refused and asked for again", { bucket: this.bucket });
    }
    const { client, service } = await this.#open(version, call);
    try {
      return await operation(client, { abortSignal: call.signal }, service);
    } catch (error) {
      throw translateBlobError(error, { ...attempt, signal: call.signal });
    }
  }

  /** The client of a version of the API, made where the access is another than the last one's. */
  async #open(version: string, call: Call): Promise<OpenedContainer> {
    const access = await this.account.resolve(call);
    const current = this.#opened.filter((one) => one.access === access);
    const known = current.find((one) => one.version === version);
    if (known !== undefined) return known;
    const { httpClient, maxTries = defaultMaxTries } = this.#options;
    const retryOptions = { maxTries, retryDelayInMs: firstDelayMs, maxRetryDelayInMs: maxDelayMs };
    const pipeline = newPipeline(access.credential, { retryOptions, userAgentOptions: { userAgentPrefix } });
    // The option of this name takes clients of the SDK's older form only, through which each request and answer would be
    // converted twice; a client of today's form has this slot.
    Object.assign(pipeline, {
      _coreHttpClient: new PatientClient(httpClient, { maxTries, baseMs: firstDelayMs, maxMs: maxDelayMs }),
    });
    const service = new BlobServiceClient(access.endpoint, pipeline);
    nameVersion(pipeline, version);
    const opened = { access, version, service, client: service.getContainerClient(this.bucket) };
    this.#opened = [...current, opened];
    return opened;
  }
}
