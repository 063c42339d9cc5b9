import { PluginError } from "@flotilla/sdk/plugin";
import type { ListQuery, ObjectRef, ObjectStore } from "@flotilla/sdk/plugin";

import type { Variant } from "./variant.ts";

const pageKeys = 1000;

const asking: readonly Variant[] = [
  {
    name: "everything-exists",
    breaks: "ObjectExists is always true",
    caughtBy: "object-store/exists/nothing",
    objects: () => ({ objectExists: async () => await Promise.resolve(true) }),
  },
  {
    name: "absence-is-an-error",
    breaks: "ObjectExists of an absent object is an error",
    caughtBy: "object-store/exists/nothing",
    objects: (store) => ({
      objectExists: async (object, call) => {
        if (await store.objectExists(object, call)) return true;
        throw new PluginError(`no object ${object.key}`, { kind: "internal" });
      },
    }),
  },
  {
    name: "folders-exist",
    breaks: "ObjectExists is true for what something lies below",
    caughtBy: "object-store/exists/folder",
    objects: (store) => ({
      objectExists: async ({ bucket, key }, call) =>
        (await store.listObjects({ bucket, prefix: key }, call)).length > 0,
    }),
  },
  {
    name: "keys-have-no-case",
    breaks: "keys are kept in small letters",
    caughtBy: "object-store/exists/other-case",
    objects: renamingKeys((key) => key.toLowerCase()),
  },
  {
    name: "denied-is-absent",
    breaks: "a refused ObjectExists is taken for an absent object",
    caughtBy: "object-store/failures/denied-object-exists",
    objects: (store) => ({ objectExists: swallowing(store.objectExists.bind(store), false) }),
  },
  {
    name: "denied-is-empty",
    breaks: "a refused listing is empty",
    caughtBy: "object-store/failures/denied-list-common-prefixes",
    objects: (store) => ({ listCommonPrefixes: swallowing(store.listCommonPrefixes.bind(store), []) }),
  },
  {
    name: "denied-is-gone",
    breaks: "a refused get says that the object is gone",
    caughtBy: "object-store/failures/denied-get-object-words",
    objects: (store) => ({ getObject: sayingGone(store) }),
  },
  {
    name: "swallows-refused-puts",
    breaks: "a refused put succeeds",
    caughtBy: "object-store/failures/denied-put-object",
    objects: (store) => ({
      putObject: async (object, body, call) => {
        for await (const _chunk of body);
        await swallowing(store.putObject.bind(store), undefined)(object, body, call);
      },
    }),
  },
  {
    name: "missing-bucket-is-empty",
    breaks: "a missing bucket is listed as an empty one",
    caughtBy: "object-store/failures/missing-bucket-list-common-prefixes",
    objects: (store) => ({ listCommonPrefixes: swallowing(store.listCommonPrefixes.bind(store), []) }),
  },
  {
    name: "missing-bucket-is-gone",
    breaks: "a get from a missing bucket says that the object is gone",
    caughtBy: "object-store/failures/missing-bucket-get-object-words",
    objects: (store) => ({ getObject: sayingGone(store) }),
  },
];

const listing: readonly Variant[] = [
  {
    name: "lists-relative-keys",
    breaks: "listed keys lack the prefix",
    caughtBy: "object-store/list/below-a-prefix",
    objects: listingKeys((keys, { prefix }) => keys.map((key) => key.slice(prefix.length))),
  },
  {
    name: "lists-one-level",
    breaks: "only the keys of one level are listed",
    caughtBy: "object-store/list/below-a-prefix",
    objects: listingKeys((keys, { prefix }) => keys.filter((key) => !key.slice(prefix.length).includes("/"))),
  },
  {
    name: "takes-prefixes-for-folders",
    breaks: "a prefix that ends in the middle of a name is completed by a slash",
    caughtBy: "object-store/list/prefix-in-a-name",
    objects: listingKeys((keys, { prefix }) =>
      keys.filter((key) => prefix.endsWith("/") || key[prefix.length] === "/"),
    ),
  },
  {
    name: "loses-the-second-page",
    breaks: "only the first thousand keys are listed",
    caughtBy: "object-store/list-many/2100-keys",
    objects: listingKeys((keys) => keys.slice(0, pageKeys)),
  },
  {
    name: "repeats-a-key-on-each-page",
    breaks: "each page of a listing begins with the key that the one before ended with",
    caughtBy: "object-store/list-many/2100-keys",
    objects: listingKeys((keys) =>
      keys.flatMap((key, index) => (index % pageKeys === pageKeys - 1 ? [key, key] : [key])),
    ),
  },
  {
    name: "sorts-upwards",
    breaks: "keys are listed in ascending order",
    caughtBy: "object-store/list/order",
    objects: listingKeys((keys) => keys.toReversed()),
  },
  {
    name: "hides-folder-markers",
    breaks: "folder markers are left out of the listing",
    caughtBy: "object-store/list/folder-markers",
    objects: listingKeys((keys) => keys.filter((key) => !key.endsWith("/"))),
  },
  {
    name: "answers-prefixes-without-delimiter",
    breaks: "common prefixes lack their delimiter",
    caughtBy: "object-store/list-prefixes/top",
    objects: listingPrefixes((prefixes) => prefixes.map((prefix) => prefix.replace(/\/$/, ""))),
  },
  {
    name: "answers-relative-prefixes",
    breaks: "common prefixes lack the prefix that was asked for",
    caughtBy: "object-store/list-prefixes/below",
    objects: listingPrefixes((prefixes, { prefix }) => prefixes.map((found) => found.slice(prefix.length))),
  },
  {
    name: "answers-keys-among-prefixes",
    breaks: "keys are among the common prefixes",
    caughtBy: "object-store/list-prefixes/no-keys",
    objects: (store) => ({
      listCommonPrefixes: async (query, call) => {
        const keys = await store.listObjects(query, call);
        const loose = keys.filter((key) => !key.slice(query.prefix.length).includes(query.delimiter));
        return [...(await store.listCommonPrefixes(query, call)), ...loose];
      },
    }),
  },
  {
    name: "knows-one-delimiter",
    breaks: "the delimiter is always a slash",
    caughtBy: "object-store/list-prefixes/another-delimiter",
    objects: (store) => ({
      listCommonPrefixes: async (query, call) => await store.listCommonPrefixes({ ...query, delimiter: "/" }, call),
    }),
  },
  {
    name: "loses-the-second-page-of-prefixes",
    breaks: "only the first thousand common prefixes are answered",
    caughtBy: "object-store/list-many/2100-keys",
    objects: listingPrefixes((prefixes) => prefixes.slice(0, pageKeys)),
  },
];

const deleting: readonly Variant[] = [
  {
    name: "deletes-once",
    breaks: "deleting an absent object is an error",
    caughtBy: "object-store/delete/twice",
    objects: (store) => ({
      deleteObject: async (object, call) => {
        if (!(await store.objectExists(object, call))) throw new PluginError("nothing there", { kind: "not-found" });
        await store.deleteObject(object, call);
      },
    }),
  },
  {
    name: "deletes-neighbours",
    breaks: "a delete removes every key that begins like its own",
    caughtBy: "object-store/delete/neighbours",
    objects: (store) => ({
      deleteObject: async ({ bucket, key }, call) => {
        for (const found of await store.listObjects({ bucket, prefix: key }, call))
          await store.deleteObject({ bucket, key: found }, call);
      },
    }),
  },
  {
    name: "deletes-nothing",
    breaks: "a delete has no effect",
    caughtBy: "object-store/delete/removes",
    objects: () => ({ deleteObject: async () => await Promise.resolve() }),
  },
  {
    name: "decodes-percent-signs",
    breaks: "keys are decoded like URLs",
    caughtBy: "object-store/odd-keys/percent-signs",
    objects: renamingKeys((key) => key.replaceAll(/%[0-9A-Fa-f]{2}/g, (code) => unescape(code))),
  },
  {
    name: "takes-plus-for-space",
    breaks: "a plus sign in a key is taken for a space",
    caughtBy: "object-store/odd-keys/plus-signs",
    objects: renamingKeys((key) => key.replaceAll("+", " ")),
  },
  {
    name: "composes-unicode",
    breaks: "keys are brought into one form of Unicode",
    caughtBy: "object-store/odd-keys/composed",
    objects: renamingKeys((key) => key.normalize("NFC")),
  },
  {
    name: "trims-keys",
    breaks: "spaces at the ends of keys are cut off",
    caughtBy: "object-store/odd-keys/spaces",
    objects: renamingKeys((key) => key.trim()),
  },
  {
    name: "joins-slashes",
    breaks: "doubled slashes in keys become one",
    caughtBy: "object-store/odd-keys/doubled-slashes",
    objects: renamingKeys((key) => key.replaceAll(/\/+/g, "/")),
  },
];

/** Object stores that answer the wrong keys, or the wrong thing about them. */
export const listingVariants: readonly Variant[] = [...asking, ...listing, ...deleting];

type Keys = readonly string[];

function listingKeys(change: (keys: Keys, query: ListQuery) => Keys): NonNullable<Variant["objects"]> {
  return (store) => ({ listObjects: async (query, call) => change(await store.listObjects(query, call), query) });
}

function listingPrefixes(change: (prefixes: Keys, query: ListQuery) => Keys): NonNullable<Variant["objects"]> {
  return (store) => ({
    listCommonPrefixes: async (query, call) => change(await store.listCommonPrefixes(query, call), query),
  });
}

/** Keys under other names than those that were asked for. */
function renamingKeys(rename: (key: string) => string): NonNullable<Variant["objects"]> {
  const renamed = ({ bucket, key }: ObjectRef): ObjectRef => ({ bucket, key: rename(key) });
  return (store) => ({
    putObject: async (object, body, call) => await store.putObject(renamed(object), body, call),
    getObject: (object, call) => store.getObject(renamed(object), call),
    objectExists: async (object, call) => await store.objectExists(renamed(object), call),
    deleteObject: async (object, call) => await store.deleteObject(renamed(object), call),
  });
}

function swallowing<A extends readonly unknown[], T>(
  method: (...args: A) => Promise<T>,
  instead: T,
): (...args: A) => Promise<T> {
  return async (...args) => await method(...args).catch(() => instead);
}

function sayingGone(store: ObjectStore): ObjectStore["getObject"] {
  return async function* getObject(object, call) {
    try {
      yield* store.getObject(object, call);
    } catch (cause) {
      throw new PluginError(`get object "${object.key}": not found`, { kind: "not-found", cause });
    }
  };
}
