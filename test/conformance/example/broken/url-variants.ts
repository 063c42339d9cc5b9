import type { ObjectRef } from "@flotilla/sdk/plugin";

import type { Variant } from "./variant.ts";

/** Object stores whose URLs open too much, or nothing. */
export const urlVariants: readonly Variant[] = [
  {
    name: "signs-for-ever",
    breaks: "a signed URL has no end",
    caughtBy: "object-store/signed-urls/lives-as-long-as-asked",
    objects: (store) => ({
      createSignedUrl: async (object, ttlSeconds, call) => await store.createSignedUrl(object, ttlSeconds * 1000, call),
    }),
  },
  {
    name: "signs-for-milliseconds",
    breaks: "the time to live is read in a smaller unit",
    caughtBy: "object-store/signed-urls/lives-as-long-as-asked",
    objects: (store) => ({
      createSignedUrl: async (object, ttlSeconds, call) => await store.createSignedUrl(object, ttlSeconds / 1000, call),
    }),
  },
  {
    name: "signs-the-folder",
    breaks: "a signed URL opens every object beside its own",
    caughtBy: "object-store/signed-urls/another-object",
    objects: (store) => ({
      createSignedUrl: async (object, ttlSeconds, call) => {
        const folder = await store.createSignedUrl(folderOf(object), ttlSeconds, call);
        return folder.replace("?", `${object.key.slice(folderOf(object).key.length)}?`);
      },
    }),
  },
  {
    name: "signs-raw-keys",
    breaks: "keys are not escaped in a signed URL",
    caughtBy: "object-store/signed-urls/key-of-percent-signs",
    objects: (store) => ({
      createSignedUrl: async (object, ttlSeconds, call) =>
        (await store.createSignedUrl(object, ttlSeconds, call)).replaceAll("%25", "%"),
    }),
  },
  {
    name: "wants-a-header",
    breaks: "a signed URL works with a header of its own only",
    caughtBy: "object-store/signed-urls/plain-get",
    objects: (store) => ({
      createSignedUrl: async (object, ttlSeconds, call) => {
        const url = new URL(await store.createSignedUrl(object, ttlSeconds, call));
        // The signature belongs into the header.
        url.searchParams.delete("signature");
        return url.href;
      },
    }),
  },
];

function folderOf({ bucket, key }: ObjectRef): ObjectRef {
  return { bucket, key: key.slice(0, key.lastIndexOf("/") + 1) };
}
