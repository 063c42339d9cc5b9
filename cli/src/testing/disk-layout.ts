import { join } from "node:path";

/** Where the disk plugin keeps an object, for tests that change one behind its back. */
export function diskObjectPath(folder: string, bucket: string, key: string): string {
  return join(folder, bucket, encodeURIComponent(key));
}
