import { PluginError } from "../plugin/index.ts";
import type { ObjectRef } from "../plugin/index.ts";

/** The object of a request. The contract promises implementations a key. */
export function requireKey({ bucket, key }: ObjectRef): ObjectRef {
  if (key === "") throw new PluginError(`no key was given for bucket "${bucket}"`, { kind: "invalid-argument" });
  return { bucket, key };
}
