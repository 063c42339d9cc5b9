import { setTimeout as delay } from "node:timers/promises";

import { bodyOf } from "../../bodies.ts";
import { expect, expectBytes, expectEqual } from "../../expect.ts";
import type { ConformanceTest } from "../../test.ts";
import type { OpenOptions, TestContext } from "../../test-context.ts";
import { sizes } from "./two-ways.ts";

const needs = ["durable"] as const;
const former = bodyOf("former", 1000);

interface Stage {
  readonly name: string;
  readonly size: keyof typeof sizes;
  /** How much of the body the process is given before it is killed. */
  readonly share: number;
}

const stages: readonly Stage[] = [
  { name: "before any content", size: "small", share: 0 },
  { name: "in the middle", size: "small", share: 0.5 },
  { name: "before the end of the stream", size: "small", share: 1 },
  { name: "in the middle", size: "large", share: 0.7 },
  { name: "before the end of the stream", size: "large", share: 1 },
];

/** SIGKILL, as the kernel sends it for lack of memory: nobody cleans up. */
export const killTests: readonly ConformanceTest[] = [
  ...stages.map(stageTest),
  ...(["first", "last"] as const).flatMap((which) =>
    (["small", "large"] as const).map((size) => requestTest(which, size)),
  ),
  {
    id: "faults/kill/get",
    title: "a process that is killed in a get leaves the object, and the next one reads it",
    rule: "killed-leaves-nothing",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const store = await t.openObjectStore({ mayWarn: true });
      const body = bodyOf("get", sizes.large);
      await store.put(t.key("object"), body);
      const read = store.read(t.key("object"));
      await read.next();

      const [, rest] = await Promise.all([store.session.kill(), drain(read)]);

      expect(rest === "failed", "a get of a killed process ended as if it were complete");
      const next = await t.openObjectStore();
      expectBytes(await next.get(t.key("object")), body, "the object");
    },
  },
];

function stageTest({ name, size, share }: Stage): ConformanceTest {
  return {
    id: `faults/kill/${size}-${name.replaceAll(" ", "-")}`,
    title: `a process that is killed in the put of a ${size} object ${name} leaves nothing new and what was there`,
    rule: "killed-leaves-nothing",
    kind: "ObjectStore",
    needs,
    run: async (t) => {
      const store = await t.openObjectStore({ mayWarn: true });
      await store.put(t.key("former"), former);
      const body = bodyOf(name, sizes[size]);
      const bodies = [0, 1].map(() => new HeldBody(body.subarray(0, Math.floor(body.length * share))));
      const ended = Promise.allSettled(bodies.map((held, i) => store.put(t.key(i === 0 ? "former" : "new"), held)));

      await Promise.all(bodies.map((held) => held.isGiven));
      // Once a later call is answered the plugin has had what was sent before; the rest is for what it does with it.
      await store.exists(t.key("former"));
      await delay(250);
      await store.session.kill();
      for (const held of bodies) held.release();

      const statuses = (await ended).map(({ status }) => status);
      expectEqual(statuses, ["rejected", "rejected"], "the puts of the killed process");
      const next = await t.openObjectStore();
      expectEqual(await next.listObjects(t.prefix), [t.key("former")], "the objects after the kill");
      expectBytes(await next.get(t.key("former")), former, "the former object");
      await expectWorks(t, "new");
    },
  };
}

function requestTest(which: "first" | "last", size: keyof typeof sizes): ConformanceTest {
  return {
    id: `faults/kill/${size}-at-its-${which}-request`,
    title: `a process that is killed as the ${which} request of a ${size} put reaches the store leaves a whole object`,
    rule: "killed-leaves-nothing",
    kind: "ObjectStore",
    needs: ["durable", "network"],
    run: async (t) => {
      const { proxy, config, env } = await t.startHttpProxy("ObjectStore");
      const body = bodyOf("request", sizes[size]);
      const count = await requestsOfPut(t, { config, env }, body, () => proxy.requests.length);
      const direct = await t.openObjectStore();
      await direct.put(t.key("object"), former);
      const store = await t.openObjectStore({ config, env, mayWarn: true });
      const fatal = proxy.requests.length + (which === "first" ? 0 : count - 1);
      let killed: Promise<void> | undefined;
      proxy.judge(({ index }) => {
        if (index === fatal) killed = store.session.kill();
        return undefined;
      });

      const outcome = await store.put(t.key("object"), body).then(
        () => "ok",
        () => "failed",
      );

      if (killed === undefined) throw new Error(`the put made less than the ${count} requests of the one before`);
      await killed;
      const stored = await direct.get(t.key("object"));
      if (outcome === "ok" || stored.equals(body)) expectBytes(stored, body, "the object");
      else expectBytes(stored, former, "the object after the kill");
      await expectWorks(t, "object");
    },
  };
}

/** How many requests a put takes in a fresh process. */
async function requestsOfPut(
  t: TestContext,
  detour: OpenOptions,
  body: Buffer,
  countSoFar: () => number,
): Promise<number> {
  const store = await t.openObjectStore(detour);
  const before = countSoFar();
  await store.put(t.key("counted"), body);
  await store.session.shutdown();
  return countSoFar() - before;
}

async function expectWorks(t: TestContext, key: string): Promise<void> {
  const store = await t.openObjectStore();
  const body = bodyOf("next", 100_000);
  await store.put(t.key(key), body);
  expectBytes(await store.get(t.key(key)), body, "an object that the next process put");
}

/** Content without an end: a put of it is under way until it is released. */
class HeldBody {
  readonly #content: Buffer;
  readonly #given = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();

  constructor(content: Buffer) {
    this.#content = content;
  }

  /** Resolves when the plugin's flow control has let everything through. */
  get isGiven(): Promise<void> {
    return this.#given.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    yield* [this.#content];
    this.#given.resolve();
    await this.#released.promise;
  }
}

/** Reads on to see how it ends. */
async function drain(read: AsyncIterable<Uint8Array>): Promise<"complete" | "failed"> {
  try {
    for await (const _ of read);
    return "complete";
  } catch {
    // How it failed depends on where the kill met it.
    return "failed";
  }
}
