import type { Bucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import { invalid, noSuchObject } from "./gcs-error.ts";
import type { ObjectMeta } from "./object-meta.ts";

/** An object that was found. */
export interface FoundObject {
  readonly bucket: Bucket;
  readonly meta: ObjectMeta;
}

/** Finds the generation that a request addresses, the live one where it names none; throws where there is none. */
export function findObject(call: Call, generation = call.query.get("generation")): FoundObject {
  const bucket = call.state.bucket(call.bucketName);
  const meta = lookUp(bucket, call.objectName, generation);
  if (meta === undefined) {
    // Who may not list is not told by a read whether an object exists.
    if (call.method === "GET" || call.method === "HEAD") call.permit("storage.objects.list", call.bucketName);
    throw noSuchObject(call.bucketName, call.objectName);
  }
  return { bucket, meta };
}

/** Looks for a generation of an object, the live one where none is named. */
export function lookUp(bucket: Bucket, name: string, generation: string | undefined): ObjectMeta | undefined {
  if (generation === undefined) return bucket.live(name);
  if (!/^\d+$/.test(generation)) throw invalid(`Invalid value for generation: ${generation}`);
  return bucket.generation(name, generation);
}
