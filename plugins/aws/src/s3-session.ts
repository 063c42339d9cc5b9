import { isIP } from "node:net";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { Call } from "@flotilla/sdk/plugin";
import { HttpRequest } from "@smithy/core/protocols";
import type { ClientSettings } from "./client.ts";
import { redirectRegion, translateS3Error } from "./errors.ts";
import type { Attempt } from "./errors.ts";

/** How the client of one bucket is made. */
export interface S3SessionOptions {
  readonly bucket: string;
  readonly settings: ClientSettings;
  readonly forcePathStyle: boolean;
  /** False where the region is a guess that S3 may correct. */
  readonly isRegionKnown: boolean;
  /** The account that must own the bucket, for every request; S3 refuses those to another's. */
  readonly expectedBucketOwner?: string | undefined;
}

/** What an operation passes on to `client.send`. */
export interface SendOptions {
  readonly abortSignal: AbortSignal;
}

/**
 * The S3 client of one bucket. A guessed region is corrected by S3's first redirect and remembered, so that opening a
 * location needs no request of its own.
 */
export class S3Session {
  readonly bucket: string;
  readonly #options: S3SessionOptions;
  #client: S3Client;
  #region: string;
  #isRegionKnown: boolean;

  constructor(options: S3SessionOptions) {
    this.bucket = options.bucket;
    this.#options = options;
    this.#region = options.settings.region;
    this.#isRegionKnown = options.isRegionKnown;
    this.#client = this.#createClient(options.settings);
  }

  /** Runs one operation; a failure becomes a PluginError that says what was tried. */
  async run<T>(
    attempt: Attempt,
    call: Call,
    operation: (client: S3Client, options: SendOptions) => Promise<T>,
  ): Promise<T> {
    const options = { abortSignal: call.signal };
    const client = this.#client;
    try {
      const result = await operation(client, options);
      this.#isRegionKnown = true;
      return result;
    } catch (error) {
      if (!this.#follow(error, client)) throw translateS3Error(error, { ...attempt, signal: call.signal });
      call.log.debug("the bucket is in another region", { bucket: this.bucket, region: this.#region });
    }
    try {
      return await operation(this.#client, options);
    } catch (error) {
      throw translateS3Error(error, { ...attempt, signal: call.signal });
    }
  }

  /** The region of the bucket, asked of S3 where it is still a guess. */
  async resolveRegion(call: Call): Promise<string> {
    if (!this.#isRegionKnown) {
      const attempt = { action: `find the region of bucket "${this.bucket}"`, permission: "s3:ListBucket" };
      await this.run(attempt, call, async (client, options) => {
        await client.send(new HeadBucketCommand({ Bucket: this.bucket }), options);
      });
    }
    return this.#region;
  }

  /** Whether the endpoint is AWS's own, whose ETags are documented. */
  get isAws(): boolean {
    return isAwsEndpoint(this.#options.settings.endpoint);
  }

  /** Closes the connections. */
  close(): void {
    this.#client.destroy();
  }

  #follow(error: unknown, client: S3Client): boolean {
    // A request of the same time may have learnt the region already.
    if (client !== this.#client) return true;
    const region = redirectRegion(error);
    if (this.#isRegionKnown || region === undefined || region === this.#region) return false;
    this.#region = region;
    this.#isRegionKnown = true;
    this.#client = this.#createClient({ ...this.#options.settings, region });
    return true;
  }

  #createClient(settings: ClientSettings): S3Client {
    const { forcePathStyle, expectedBucketOwner } = this.#options;
    const client = createS3Client(settings, forcePathStyle);
    if (expectedBucketOwner === undefined) return client;
    client.middlewareStack.add(
      (next) => async (args) => {
        if (HttpRequest.isInstance(args.request))
          args.request.headers["x-amz-expected-bucket-owner"] = expectedBucketOwner;
        return await next(args);
      },
      { step: "build", name: "expectedBucketOwner" },
    );
    return client;
  }
}

/** Whether an endpoint is one of AWS's own. */
function isAwsEndpoint(endpoint: string | undefined): boolean {
  return endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

/** Whether two endpoints are of one store: AWS's own have many names. */
export function isSameStore(one: string | undefined, other: string | undefined): boolean {
  return isAwsEndpoint(one) ? isAwsEndpoint(other) : one === other;
}

/** An S3 client that sends bodies plainly: no chunked framing, no checksum of its own, no 100-continue. */
export function createS3Client(settings: ClientSettings, forcePathStyle: boolean): S3Client {
  const client = new S3Client({
    ...settings,
    forcePathStyle: forcePathStyle || hasAddressAsHost(settings.endpoint),
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      // TLS protects the body already; on plain http the signature must. Signing it would hash every part once more.
      if (HttpRequest.isInstance(request) && request.protocol === "https:" && request.body instanceof Uint8Array)
        request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
      return await next(args);
    },
    { step: "build", name: "unsignedPayloadOverTls" },
  );
  // One describes each request to a logger that is not there, the other looks for the traces of AWS Lambda.
  for (const name of ["loggerMiddleware", "recursionDetectionMiddleware"]) client.middlewareStack.remove(name);
  return client;
}

function hasAddressAsHost(endpoint: string | undefined): boolean {
  return endpoint !== undefined && isIP(new URL(endpoint).hostname.replace(/^\[|\]$/g, "")) !== 0;
}
