import { isKind } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { Attempt } from "./errors.ts";
import type { GoogleApi } from "./google-api.ts";

/** How one bucket is reached. */
export interface GcsSessionOptions {
  readonly bucket: string;
  /** Of the store, without a slash at its end. */
  readonly endpoint: URL;
  readonly api: GoogleApi;
}

/** One bucket's addresses in the JSON API, and the API itself. */
export class GcsSession {
  readonly bucket: string;
  readonly api: GoogleApi;
  readonly endpoint: URL;

  constructor({ bucket, endpoint, api }: GcsSessionOptions) {
    this.bucket = bucket;
    this.endpoint = endpoint;
    this.api = api;
  }

  /** The address of the bucket itself. */
  bucketUrl(query: Readonly<Record<string, string>>): URL {
    return this.#address(`/storage/v1/b/${encodeURIComponent(this.bucket)}`, query);
  }

  /** The address of the bucket's objects, of one of them, or of something else of the bucket. */
  url(path: string, query: Readonly<Record<string, string>> = {}): URL {
    return this.#address(`/storage/v1/b/${encodeURIComponent(this.bucket)}/${path}`, query);
  }

  objectUrl(key: string, query: Readonly<Record<string, string>> = {}): URL {
    return this.url(`o/${encodeURIComponent(key)}`, query);
  }

  /** The address that rewrites an object of this bucket into one of another bucket. */
  rewriteUrl(key: string, toBucket: string, toKey: string, query: Readonly<Record<string, string>>): URL {
    const to = `b/${encodeURIComponent(toBucket)}/o/${encodeURIComponent(toKey)}`;
    return this.url(`o/${encodeURIComponent(key)}/rewriteTo/${to}`, query);
  }

  uploadUrl(query: Readonly<Record<string, string>>): URL {
    return this.#address(`/upload/storage/v1/b/${encodeURIComponent(this.bucket)}/o`, query);
  }

  /** An address that the store handed out, by the way that this location takes to it. */
  own(location: string): URL {
    const url = new URL(location, this.endpoint);
    return new URL(`${this.endpoint.origin}${url.pathname}${url.search}`);
  }

  /**
   * Runs an operation on one object. A 404 says nothing about which of the two is missing, so that a missing object is
   * believed only once the bucket was seen.
   */
  async onObject<T>(attempt: Attempt, call: Call, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      if (!isKind(error, "not-found")) throw error;
      await this.#requireBucket(attempt, call);
      throw error;
    }
  }

  async #requireBucket({ action }: Attempt, call: Call): Promise<void> {
    const attempt = { action, permission: "storage.objects.list" };
    const request = { method: "GET", url: this.url("o", { maxResults: "1", fields: "kind" }) };
    try {
      await this.api.patiently(attempt, call, async () => await this.api.json(request, attempt, call));
    } catch (error) {
      // Whoever may not list would have been refused before, had the object been missing.
      if (!isKind(error, "denied")) throw error;
    }
  }

  #address(path: string, query: Readonly<Record<string, string>>): URL {
    const text = new URLSearchParams(query).toString();
    return new URL(`${this.endpoint.href.replace(/\/$/, "")}${path}${text === "" ? "" : `?${text}`}`);
  }
}
