import type { Pipeline as CorePipeline } from "@azure/core-rest-pipeline";
import type { Pipeline } from "@azure/storage-blob";

/**
 * The version of the service's API that requests and signatures name: the official plugin's. The SDK's own is its newest,
 * which the national clouds, and some accounts of the public one, learn of months later; until then they refuse every
 * request that names it.
 */
export const blobApiVersion = "2025-05-05";

/** The first version in which a copy can be made of an object that is encrypted with a customer-provided key. */
export const keyedSourceApiVersion = "2026-02-06";

/** Has every request of the clients of a pipeline name a version; the first of them must be there. */
export function nameVersion(pipeline: Pipeline, version: string): void {
  // Where the SDK keeps what its clients share; none of its options gets as far as this header.
  const { _corePipeline: core } = pipeline as Pipeline & { readonly _corePipeline?: CorePipeline };
  if (core === undefined) throw new Error("the Blob SDK has no client of this pipeline");
  // Before the request is signed, which covers the header.
  core.addPolicy({
    name: "namedVersion",
    sendRequest: async (request, next) => {
      request.headers.set("x-ms-version", version);
      return await next(request);
    },
  });
}
