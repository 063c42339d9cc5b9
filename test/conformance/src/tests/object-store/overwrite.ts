import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import { absenceWordIn, WireError } from "../../plugin/wire-error.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { atOnce } from "./at-once.ts";

const mebibyte = 1024 ** 2;

const replacements: readonly (readonly [name: string, former: number, latter: number])[] = [
  ["a shorter", 100_000, 10],
  ["a longer", 10, 100_000],
  ["an equally long", 50_000, 50_000],
  ["a much shorter", 9 * mebibyte, 1000],
  ["a much longer", 1000, 9 * mebibyte],
];

const replacing = replacements.map(([name, former, latter]): ConformanceTest => ({
  id: `object-store/overwrite/${name.replaceAll(" ", "-")}`,
  title: `${name} object replaces the former one`,
  rule: "put-replaces",
  kind: "ObjectStore",
  run: async (t) => {
    const store = await t.openObjectStore();
    const body = bodyOf("latter", latter);
    await store.put(t.key("object"), bodyOf("former", former));

    await store.put(t.key("object"), body);

    expectBytes(await store.get(t.key("object")), body, "the object");
    expectEqual(await store.listObjects(t.prefix), [t.key("object")], "the keys of the listing");
  },
}));

/** What another put leaves of an object. */
export const overwriteTests: readonly ConformanceTest[] = [
  ...replacing,
  {
    id: "object-store/overwrite/small-while-readers-read",
    title: "readers of a small object get the former one or the new one, whole, while it is replaced",
    rule: "put-is-atomic",
    kind: "ObjectStore",
    run: async (t) => {
      await replaceWhileReading(t, [bodyOf("small", 3000), bodyOf("larger", 200_000)], 20, async (got) => await got);
    },
  },
  {
    id: "object-store/overwrite/while-readers-read",
    title: "readers of a large object never get a mixture of the former one and the new one while it is replaced",
    rule: "put-is-atomic",
    kind: "ObjectStore",
    run: async (t) => {
      const bodies = [bodyOf("small", 300_000), bodyOf("large", 9 * mebibyte + 1)] as const;

      // A get that began in the former object may be given up, as long as it does not say that the object is gone.
      await replaceWhileReading(t, bodies, 4, async (got) => await got.catch(expectNotGone));
    },
  },
  {
    id: "object-store/overwrite/concurrent-writers",
    title: "of several writers of one key, one writes the whole object",
    rule: "put-is-atomic",
    kind: "ObjectStore",
    run: async (t) => {
      const store = await t.openObjectStore();
      const sizes = [1, 20_000, 300_000, 5 * mebibyte + 1, 6 * mebibyte, 9 * mebibyte];
      const bodies = sizes.map((sizeBytes) => bodyOf(`writer of ${sizeBytes}`, sizeBytes));

      const stored: Buffer[] = [];
      // Where a commit drops what other writers have uploaded so far, these must be told that they lost.
      await atOnce(bodies, bodies.length, async (body) => {
        await store.put(t.key("object"), body).then(() => void stored.push(body), expectNotGone);
      });

      expectOneOf(await store.get(t.key("object")), stored, "the object");
      expectEqual(await store.listObjects(t.prefix), [t.key("object")], "the keys of the listing");
    },
  },
];

async function replaceWhileReading(
  t: TestContext,
  bodies: readonly [Buffer, Buffer],
  rounds: number,
  settle: (got: Promise<Buffer>) => Promise<Buffer | undefined>,
): Promise<void> {
  const store = await t.openObjectStore();
  await store.put(t.key("object"), bodies[0]);
  const writing = { isOver: false };
  const write = async (): Promise<void> => {
    for (let round = 1; round <= rounds; round += 1) await store.put(t.key("object"), bodies[round % 2 === 1 ? 1 : 0]);
  };
  const read = async (): Promise<void> => {
    while (!writing.isOver) {
      const got = await settle(store.get(t.key("object")));
      if (got !== undefined) expectOneOf(got, bodies, "what a reader got");
    }
  };

  await Promise.all([write().finally(() => (writing.isOver = true)), read(), read(), read()]);

  expectBytes(await store.get(t.key("object")), bodies[rounds % 2 === 1 ? 1 : 0], "the object at last");
}

function expectNotGone(error: unknown): undefined {
  if (!(error instanceof WireError)) throw error;
  expect(
    absenceWordIn(error.message) === undefined,
    `an object that was replaced is said to be gone: ${error.message}`,
  );
}

function expectOneOf(actual: Buffer, bodies: readonly Buffer[], what: string): void {
  expect(
    bodies.some((body) => body.equals(actual)),
    `${what}: ${actual.length} bytes that are none of the bodies of ${bodies.map(({ length }) => length).join(", ")} bytes whole`,
  );
}
