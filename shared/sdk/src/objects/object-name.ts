import type { ObjectRef } from "../plugin/index.ts";

/** How errors and log lines name an object. */
export function nameOf({ bucket, key }: ObjectRef): string {
  return `object ${JSON.stringify(key)} in bucket ${JSON.stringify(bucket)}`;
}
