import { appendFileSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import { PluginError } from "../plugin/index.ts";
import type { Call, ObjectInspector, ObjectRef, ObjectStore, SelfCheck } from "../plugin/index.ts";
import type { MemoryObjectStore } from "./memory-object-store.ts";

/** The methods of the store, which each fault replaces some of. */
type Methods = ObjectStore & ObjectInspector & SelfCheck;

type Fault = (store: MemoryObjectStore, record: (event: string) => void) => Partial<Methods>;

/** How the fixture plugin's object store can misbehave, by the value of its `fault` key. */
export const fixtureFaults = {
  none: () => ({}),
  "put-fails-at-once": () => ({ putObject: async () => await Promise.reject(unavailable("put failed at once")) }),
  "put-fails-midway": () => ({
    putObject: async (_object, body) => {
      let taken = 0;
      for await (const chunk of body) {
        taken += chunk.length;
        if (taken > 100_000) throw unavailable("put failed midway");
      }
    },
  }),
  "put-fails-and-reads-on": (_store, record) => ({
    putObject: async (_object, body) => {
      const iterator = body[Symbol.asyncIterator]();
      const readOn = async (): Promise<string> => {
        await delay(50);
        for (;;) if ((await iterator.next()).done === true) return "whole";
      };
      void readOn().then(record, (error: unknown) => record(`read on: ${PluginError.from(error).kind}`));
      await iterator.next();
      throw unavailable("put failed, or so it seemed");
    },
  }),
  "put-waits": () => ({
    putObject: async (_object, _body, { signal }) =>
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reject(PluginError.from(signal.reason));
        });
      }),
  }),
  "put-resolves-early": () => ({ putObject: async () => await Promise.resolve() }),
  "put-keeps-a-journal": (store, record) => ({
    putObject: async (object, body, call) => {
      call.signal.addEventListener("abort", () => {
        record(`aborted ${object.key}`);
      });
      try {
        await store.putObject(object, recorded(body, record), call);
        record(`stored ${object.key}`);
      } catch (error) {
        record(`failed ${object.key}: ${PluginError.from(error).kind}`);
        throw error;
      }
    },
  }),
  "get-ends-corrupt": (store) => ({
    getObject: async function* (object, call) {
      yield* store.getObject(object, call);
      throw new PluginError(`get object "${object.key}": its checksum differs`, { kind: "corrupt" });
    },
  }),
  "get-is-endless": (_store, record) => ({ getObject: (object) => endless(object, record) }),
  "list-is-huge": () => ({
    listObjects: async () =>
      await Promise.resolve(Array.from({ length: 120_000 }, (_, n) => `backups/${n}`.padEnd(60, "x"))),
  }),
  panics: () => ({
    objectExists: async () =>
      await Promise.reject(new TypeError("Cannot read properties of undefined: BlobNotFound does not exist")),
  }),
  "rejects-unheard": () => ({
    objectExists: async () => {
      void delay(1).then(async () => await Promise.reject(new Error("nobody waits for this")));
      return await new Promise<never>(() => {});
    },
  }),
  talks: (store) => ({ objectExists: async (object, call) => await talking(store, object, call) }),
  "quotes-the-cloud": () => ({
    getObject: async function* ({ key }) {
      yield* [];
      const quoted = "NoSuchKey, the specified bucket DOES NOT EXIST (host not found)";
      await Promise.reject(new PluginError(`get object "${key}": ${quoted}`, { kind: "denied" }));
    },
  }),
} as const satisfies Readonly<Record<string, Fault>>;

/** The store with one fault. `journal` names a file that receives a line per event, to be read after the process ended. */
export function withFault(
  store: MemoryObjectStore,
  fault: keyof typeof fixtureFaults,
  journal: string | undefined,
): Methods {
  const record = (event: string): void => {
    if (journal !== undefined) appendFileSync(journal, `${event}\n`);
  };
  const faulty: Fault = fixtureFaults[fault];
  return { ...methodsOf(store), ...faulty(store, record) };
}

function methodsOf(store: MemoryObjectStore): Methods {
  return {
    putObject: store.putObject.bind(store),
    objectExists: store.objectExists.bind(store),
    getObject: store.getObject.bind(store),
    listCommonPrefixes: store.listCommonPrefixes.bind(store),
    listObjects: store.listObjects.bind(store),
    deleteObject: store.deleteObject.bind(store),
    createSignedUrl: store.createSignedUrl.bind(store),
    describeObject: store.describeObject.bind(store),
    check: store.check.bind(store),
  };
}

async function* recorded(
  body: AsyncIterable<Uint8Array>,
  record: (event: string) => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    record(`received ${chunk.length}`);
    yield chunk;
  }
}

async function* endless(object: ObjectRef, record: (event: string) => void): AsyncGenerator<Uint8Array, void> {
  const chunk = Buffer.alloc(64 * 1024, 1);
  let produced = 0;
  try {
    for (;;) {
      produced += chunk.length;
      record(`produced ${produced}`);
      yield await Promise.resolve(chunk);
    }
  } finally {
    record(`freed ${object.key}`);
  }
}

async function talking(store: MemoryObjectStore, object: ObjectRef, call: Call): Promise<boolean> {
  writeSync(1, "noise by a plain descriptor\n");
  process.stdout.write("noise by process.stdout.write\n");
  process.stdout.write(`${"x".repeat(200_000)}\n`);
  process.stderr.write("[ERROR] noise by process.stderr.write\n");
  // oxlint-disable-next-line no-console -- the point of this fault is to write where nothing may be written
  console.log("noise by console.log");
  // oxlint-disable-next-line no-console -- as above
  console.error("noise by console.error");
  call.log.info("said by the logger", { bytes: 5, isTrue: true, nothing: undefined });
  return await store.objectExists(object);
}

function unavailable(message: string): PluginError {
  return new PluginError(message, { kind: "unavailable" });
}
