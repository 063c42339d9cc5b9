import { bodyOf, bodyStream, differsFromBody } from "../../bodies.ts";
import { expect, expectEqual } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { residentGrowth } from "./resident-growth.ts";

const mebibyte = 1024 ** 2;
const sizeBytes = 256 * mebibyte;
/** Room for the parts in flight of the official plugins and for a collector that is in no hurry; far less than the object. */
const limitBytes = 160 * mebibyte;

/** What a process holds while large objects pass through it. */
export const memoryTests: readonly ConformanceTest[] = [
  {
    id: "object-store/memory/put-and-get",
    title: "an object of 256 MiB passes whole through memory that does not grow with it",
    rule: "memory-is-bounded",
    kind: "ObjectStore",
    timeoutMs: 300_000,
    run: async (t) => {
      const store = await openWarm(t);

      const put = await residentGrowth(store.session, () => store.put(t.key("object"), bodyStream("m", sizeBytes)));
      const get = await residentGrowth(store.session, async () => {
        expectEqual(await differsFromBody(store.read(t.key("object")), "m", sizeBytes), undefined, "the object");
      });

      expectBounded(put, "a put");
      expectBounded(get, "a get");
    },
  },
];

/** What is loaded with the first calls is no growth. */
async function openWarm(t: TestContext): Promise<ObjectStoreSession> {
  const store = await t.openObjectStore();
  await store.put(t.key("warm"), bodyOf("warm", mebibyte));
  await store.get(t.key("warm"));
  return store;
}

function expectBounded(growth: number | undefined, what: string): void {
  if (growth === undefined) return;
  expect(growth <= limitBytes, `${what} of ${inMebibytes(sizeBytes)} let the process grow by ${inMebibytes(growth)}`);
}

function inMebibytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`;
}
