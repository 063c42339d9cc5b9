import { UsageError } from "./cli-error.ts";

/** A registry's address, with which the names of its images begin. */
export function withoutSlash(registry: string): string {
  return registry.replace(/\/+$/, "");
}

/** A reference to an image as a node reads it: the registry, a name in lower case, a tag or a digest. */
export function checkedImage(reference: string): string {
  const form = /^(?:[\w.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
  if (form.test(reference)) return reference;
  throw new UsageError(
    `no node pulls the image ${reference}: give it as REGISTRY/name:TAG, without https:// and blanks`,
  );
}
