import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";

/** One of the calls that reach the store. */
export interface ObjectCall {
  readonly name: string;
  readonly make: (store: ObjectStoreSession, key: string) => Promise<unknown>;
}

/** GetObject, whose failures the server reads. */
export const getObject: ObjectCall = { name: "GetObject", make: (store, key) => store.get(key) };

/** ObjectExists, which stores answer without saying what is missing. */
export const objectExists: ObjectCall = { name: "ObjectExists", make: (store, key) => store.exists(key) };

/** The calls that reach the store, those two aside. CreateSignedURL need not reach it. */
export const otherCalls: readonly ObjectCall[] = [
  { name: "PutObject", make: (store, key) => store.put(key, Buffer.from("small")) },
  { name: "ListCommonPrefixes", make: (store, key) => store.listCommonPrefixes(key) },
  { name: "ListObjects", make: (store, key) => store.listObjects(key) },
  { name: "DeleteObject", make: (store, key) => store.delete(key) },
];

/** In the form of an id. */
export function idOf(call: ObjectCall): string {
  return call.name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
}
