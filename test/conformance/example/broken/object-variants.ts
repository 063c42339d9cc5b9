import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call, ObjectRef, ObjectStore } from "@flotilla/sdk/plugin";
import { status } from "@grpc/grpc-js";

import { bodyOf, collect, reusing, withoutLast } from "./bodies.ts";
import { handling } from "./interpose.ts";
import type { Respond } from "./interpose.ts";
import type { Variant } from "./variant.ts";

type Body = AsyncIterable<Uint8Array>;
const mebibyte = 1024 ** 2;

const opening: readonly Variant[] = [
  {
    name: "takes-unknown-keys",
    breaks: "unknown keys of the config are ignored",
    caughtBy: "object-store/init/refuses-an-unknown-key",
    config: ({ bucket = "", prefix = "" }) => ({ bucket, prefix }),
  },
  {
    name: "names-no-key",
    breaks: "a wrong config is refused without a word about the key",
    caughtBy: "object-store/init/names-the-wrong-key",
    wire: handling("/generated.ObjectStore/Init", (_call, respond: Respond) =>
      respond({ code: status.INVALID_ARGUMENT, details: "the config is wrong" }),
    ),
  },
  {
    name: "ignores-the-second-init",
    breaks: "only the first Init of a process has an effect",
    caughtBy: "object-store/locations/two-buckets",
    config: onlyTheFirst(),
  },
];

const putting: readonly Variant[] = [
  {
    name: "truncates-at-1-mib",
    breaks: "what is beyond 1 MiB is dropped",
    caughtBy: "object-store/put/5-mib",
    objects: changingBodies((bytes) => bytes.subarray(0, mebibyte)),
  },
  {
    name: "loses-the-last-chunk",
    breaks: "the last message of a put is dropped",
    caughtBy: "object-store/put/a-message-and-a-byte",
    objects: (store) => ({
      putObject: async (object, body, call) => await store.putObject(object, withoutLast(body), call),
    }),
  },
  {
    name: "unpacks-gzip",
    breaks: "a *.gz is stored unpacked",
    caughtBy: "object-store/put/gzip",
    objects: changingBodies((bytes, key) => (key.endsWith(".gz") || bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)),
  },
  {
    name: "takes-truncated-gzip",
    breaks: "a *.gz that ends in the middle is stored",
    caughtBy: "faults/gzip/ends-in-the-middle",
    objects: underAnotherName(),
  },
  {
    name: "replaces-by-truncated-gzip",
    breaks: "a *.gz that ends in the middle is stored in the place of a whole one",
    caughtBy: "faults/gzip/keeps-the-former",
    objects: underAnotherName(),
  },
  {
    name: "reads-one-member-of-gzip",
    breaks: "a gzip of several members is cut behind its first one",
    caughtBy: "faults/gzip/takes-gzip-of-several-members",
    objects: changingBodies((bytes) => bytes.subarray(0, bytes.lastIndexOf(Buffer.from([0x1f, 0x8b, 8])) || undefined)),
  },
  {
    name: "wants-gzip-under-gz",
    breaks: "content that is no gzip is refused under a *.gz",
    caughtBy: "faults/gzip/takes-other-content",
    objects: changingBodies((bytes, key) => (key.endsWith(".gz") && gunzipSync(bytes) && bytes) || bytes),
  },
  {
    name: "keeps-the-host-s-memory",
    breaks: "a chunk is kept without a copy and overwritten by the next one",
    caughtBy: "object-store/put/a-message-and-a-byte",
    objects: (store) => ({
      putObject: async (object, body, call) => await store.putObject(object, reusing(body), call),
    }),
  },
  {
    name: "appends",
    breaks: "a put under an existing key appends",
    caughtBy: "object-store/overwrite/a-shorter",
    objects: (store) => ({
      putObject: async (object, body, call) => await store.putObject(object, appended(store, object, body), call),
    }),
  },
  {
    name: "never-replaces",
    breaks: "a put under an existing key has no effect",
    caughtBy: "object-store/overwrite/a-longer",
    objects: (store) => ({
      putObject: async (object, body, call) => {
        if (!(await store.objectExists(object, call))) return await store.putObject(object, body, call);
        await collect(body);
      },
    }),
  },
  {
    name: "commits-cancelled-puts",
    breaks: "a put that was cancelled is stored as far as it came",
    caughtBy: "object-store/cancelled-puts/with-the-last-byte",
    objects: committingWhatCame(),
  },
  {
    name: "commits-puts-of-lost-hosts",
    breaks: "a put whose connection broke is stored as far as it came",
    caughtBy: "object-store/cancelled-puts/connection-lost",
    objects: committingWhatCame(),
  },
  {
    name: "writes-in-place",
    breaks: "a put is visible while it is written",
    caughtBy: "object-store/overwrite/while-readers-read",
    objects: writingInPlace(),
  },
  {
    name: "shares-a-buffer",
    breaks: "puts at the same time collect their bytes in one buffer",
    caughtBy: "object-store/overwrite/concurrent-writers",
    objects: sharingABuffer(),
  },
  {
    name: "mixes-puts",
    breaks: "puts at the same time share the key of the last one",
    caughtBy: "object-store/concurrency/many-small-puts",
    objects: sharingTheKey(),
  },
  {
    name: "answers-a-put-early",
    breaks: "a put that cannot work is refused before its stream was read",
    caughtBy: "object-store/put-failure/missing-bucket-large",
    wire: handling(
      "/generated.ObjectStore/PutObject",
      (call: { once(event: "data", listener: () => void): void }, respond: Respond) =>
        call.once("data", () => respond({ code: status.FAILED_PRECONDITION, details: "the bucket is missing" })),
    ),
  },
];

const getting: readonly Variant[] = [
  {
    name: "says-nothing-of-absence",
    breaks: "a get of an absent object fails without the words for it",
    caughtBy: "object-store/get/missing",
    objects: (store) => ({
      async *getObject(object, call) {
        if (!(await store.objectExists(object, call))) throw new PluginError("no such thing", { kind: "internal" });
        yield* store.getObject(object, call);
      },
    }),
  },
  {
    name: "serves-nothing-for-absent",
    breaks: "a get of an absent object is an empty object",
    caughtBy: "object-store/get/missing",
    objects: (store) => ({
      async *getObject(object, call) {
        if (await store.objectExists(object, call)) yield* store.getObject(object, call);
      },
    }),
  },
  {
    name: "reads-ahead-without-end",
    breaks: "a get reads the whole object into memory, whether somebody reads it or not",
    caughtBy: "object-store/abandoned-gets/memory",
    objects: (store) => ({
      async *getObject(object, call) {
        yield await collect(store.getObject(object, call));
      },
    }),
  },
  {
    name: "serves-old-and-new",
    breaks: "a get goes on in the new object when the former one is replaced",
    caughtBy: "object-store/overwrite/while-readers-read",
    objects: (store) => ({
      async *getObject(object) {
        let offset = 0;
        for (
          let piece = await pieceAt(store, object, 0);
          piece.length > 0;
          piece = await pieceAt(store, object, offset)
        ) {
          yield piece;
          offset += piece.length;
          await delay(1);
        }
      },
    }),
  },
];

/** Object stores that lose, mix or keep what they should not. */
export const objectVariants: readonly Variant[] = [...opening, ...putting, ...getting];

function onlyTheFirst(): NonNullable<Variant["config"]> {
  let first: Readonly<Record<string, string>> | undefined;
  return (config) => (first ??= config);
}

function changingBodies(change: (bytes: Buffer, key: string) => Uint8Array): NonNullable<Variant["objects"]> {
  return (store) => ({
    putObject: async (object, body, call) => {
      const bytes = change(await collect(body), object.key);
      await store.putObject(object, bodyOf(bytes), call);
    },
  });
}

/** Where nobody looks for the structure of gzip. */
function underAnotherName(): NonNullable<Variant["objects"]> {
  const renamed = ({ bucket, key }: ObjectRef): ObjectRef => ({ bucket, key: key.replace(/gz$/, "gzip") });
  return (store) => ({
    putObject: async (object, body, call) => await store.putObject(renamed(object), body, call),
    getObject: (object, call) => store.getObject(renamed(object), call),
  });
}

function committingWhatCame(): NonNullable<Variant["objects"]> {
  return (store) => ({
    putObject: async (object, body) => {
      const chunks: Uint8Array[] = [];
      try {
        for await (const chunk of body) chunks.push(Uint8Array.from(chunk));
      } finally {
        await store.putObject(object, bodyOf(Buffer.concat(chunks)), careless());
      }
    },
  });
}

function writingInPlace(): NonNullable<Variant["objects"]> {
  return (store) => ({
    putObject: async (object, body, call) => {
      const written: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const chunk of body) {
        written.push(Uint8Array.from(chunk));
        sizeBytes += chunk.length;
        const isStep = sizeBytes % mebibyte < chunk.length;
        if (isStep) await store.putObject(object, bodyOf(Buffer.concat(written)), call);
      }
      await store.putObject(object, bodyOf(Buffer.concat(written)), call);
    },
  });
}

function sharingABuffer(): NonNullable<Variant["objects"]> {
  let buffer: Uint8Array[] = [];
  return (store) => ({
    putObject: async (object, body, call) => {
      for await (const chunk of body) buffer.push(Uint8Array.from(chunk));
      const bytes = Buffer.concat(buffer);
      buffer = [];
      await store.putObject(object, bodyOf(bytes), call);
    },
  });
}

function sharingTheKey(): NonNullable<Variant["objects"]> {
  let current: ObjectRef;
  return (store) => ({
    putObject: async (object, body, call) => {
      current = object;
      const bytes = await collect(body);
      await store.putObject(current, bodyOf(bytes), call);
    },
  });
}

/** A call whose cancellation nobody hears of. */
function careless(): Call {
  return { signal: new AbortController().signal, log: silentLogger };
}

async function pieceAt(store: ObjectStore, object: ObjectRef, offset: number): Promise<Uint8Array> {
  return (await collect(store.getObject(object, careless()))).subarray(offset, offset + mebibyte / 4);
}

async function* appended(store: ObjectStore, object: ObjectRef, body: Body): Body {
  if (await store.objectExists(object, careless())) yield* store.getObject(object, careless());
  yield* body;
}
