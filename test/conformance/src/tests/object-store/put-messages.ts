import { bodyOf } from "../../bodies.ts";
import { expectBytes, expectEqual, expectError } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { ConformanceTest } from "../../test.ts";

const empty = new Uint8Array();

/** How a body may be cut into messages. */
const cuts: readonly (readonly [name: string, title: string, cut: (body: Buffer) => readonly Uint8Array[]])[] = [
  ["one-byte-each", "messages of one byte each are joined in their order", (body) => pieces(body.subarray(0, 3000), 1)],
  ["odd-lengths", "messages of odd lengths are joined in their order", (body) => pieces(body, 777)],
  ["one-large", "a message of 1 MiB is taken whole", (body) => pieces(body, body.length)],
  [
    "empty-between",
    "empty messages between others change nothing and end nothing",
    (body) => pieces(body, 10_000).flatMap((piece) => [piece, empty]),
  ],
  ["empty-first", "an empty first message does not end the object", (body) => [empty, ...pieces(body, 16_384)]],
  ["only-an-empty-one", "an object of no bytes, sent as one empty message, is stored", () => [empty]],
];

const cutTests = cuts.map(([name, title, cut]): ConformanceTest => ({
  id: `object-store/put-messages/${name}`,
  title,
  rule: "put-keeps-every-byte",
  kind: "ObjectStore",
  run: async (t) => {
    const store = await t.openObjectStore();
    const messages = cut(bodyOf(name, 1024 ** 2));

    await store.putMessages(messagesOf(store, t.key("object"), messages));

    expectBytes(await store.get(t.key("object")), Buffer.concat(messages), "the object");
  },
}));

/** However the bytes of an object were cut into messages. */
export const putMessagesTests: readonly ConformanceTest[] = [
  ...cutTests,
  {
    id: "object-store/put-messages/names-in-the-first-only",
    title: "bucket and key are taken from the first message",
    rule: "put-takes-the-first-names",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const [first = empty, ...rest] = pieces(bodyOf("first names", 100_000), 16_384);

      await store.putMessages(namedOnce(store, t.key("object"), first, rest));

      expectBytes(await store.get(t.key("object")), Buffer.concat([first, ...rest]), "the object");
    },
  },
  {
    id: "object-store/put-messages/none",
    title: "a put without any message is an error, stores nothing and harms nobody",
    rule: "put-of-nothing-stores-nothing",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();

      await expectError(store.putMessages(messagesOf(store, "", [])), "a put without any message");

      expectEqual(await store.listObjects(t.prefix), [], "what is stored");
      await store.put(t.key("next"), Buffer.from("next"));
      expectEqual(await store.listObjects(t.prefix), [t.key("next")], "what is stored after the next put");
    },
  },
];

function pieces(body: Buffer, length: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(body.length / length) }, (_, index) =>
    body.subarray(index * length, (index + 1) * length),
  );
}

async function* messagesOf(store: ObjectStoreSession, key: string, bodies: readonly Uint8Array[]) {
  for (const body of bodies) yield store.putMessage(key, body);
}

async function* namedOnce(
  store: ObjectStoreSession,
  key: string,
  first: Uint8Array,
  rest: readonly Uint8Array[],
): AsyncGenerator<{ plugin?: string; bucket?: string; key?: string; body: Uint8Array }, void, undefined> {
  yield { plugin: store.plugin, bucket: store.bucket, key, body: first };
  for (const body of rest) yield { body };
}
