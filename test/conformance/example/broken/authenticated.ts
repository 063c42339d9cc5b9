import { PluginError } from "@flotilla/sdk/plugin";
import type { ObjectStore } from "@flotilla/sdk/plugin";

/** The password that opens the store. */
const password = "sesame";

/** The example with an identity: every call with another password is refused, as clouds do it. */
export function authenticated(store: ObjectStore, given: string): ObjectStore {
  if (given === password) return store;
  const refuse = (): never => {
    throw new PluginError("access denied: the password is wrong; correct it in the location", { kind: "denied" });
  };
  return {
    putObject: async () => refuse(),
    getObject: refuse,
    objectExists: async () => refuse(),
    listObjects: async () => refuse(),
    listCommonPrefixes: async () => refuse(),
    deleteObject: async () => refuse(),
    createSignedUrl: async () => refuse(),
  };
}
