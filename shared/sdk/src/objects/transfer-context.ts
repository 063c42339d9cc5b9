import type { PluginError, RetryPolicy } from "../plugin/index.ts";
import type { BlobDriver } from "./blob-driver.ts";
import type { PartPool } from "./part-pool.ts";

/** What all transfers of one bucket share. The pool is the location's. */
export interface TransferContext {
  readonly driver: BlobDriver;
  readonly pool: PartPool;
  readonly retry: RetryPolicy;
  /** The newest transient failure of a request to the store. */
  readonly lastFailure?: { current: { readonly error: PluginError; readonly atMs: number } | undefined };
}
