import { BrokenRule } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import { WireError } from "../../plugin/wire-error.ts";
import type { ConformanceTest } from "../../test.ts";
import type { TestContext } from "../../test-context.ts";
import { ResidentMemory } from "./resident-memory.ts";
import type { SoakObject } from "./soak-object.ts";
import { SoakWorker } from "./soak-worker.ts";

/** How the processes of a stretch end: as the server ends them, or as the kernel does, in the middle of the work. */
type Ending = "shutdown" | "kill";

const stretches: readonly Ending[] = ["shutdown", "kill", "shutdown", "shutdown"];

/** Work of all kinds for a given time, by several processes at once, which are replaced now and then. */
export const mixedWorkTests: readonly ConformanceTest[] = [
  {
    id: "soak/mixed-work/nothing-is-lost",
    title: "mixed work of many workers loses nothing, mixes nothing and lets the memory stay flat",
    rule: "soak",
    kind: "ObjectStore",
    needs: ["durable"],
    isSlow: true,
    timeoutMs: 300_000,
    run: async (t) => {
      const { workers: count, seed, durationMs } = t.place.soak;
      const workers = Array.from({ length: count }, (_, i) => new SoakWorker(t.key(`w${i}/`), `${seed}/${i}`));
      try {
        for (const ending of stretches) await runStretch(t, workers, ending, durationMs / stretches.length);
        const store = await t.openObjectStore();
        await Promise.all(workers.map(async (worker) => await worker.judgeAll(store)));
      } catch (error) {
        throw withSeed(error, t, workers);
      }
    },
  },
];

async function runStretch(
  t: TestContext,
  workers: readonly SoakWorker[],
  ending: Ending,
  durationMs: number,
): Promise<void> {
  const open = async (): Promise<ObjectStoreSession> => await t.openObjectStore({ mayWarn: ending === "kill" });
  // Two, as the server runs several processes of one executable at once.
  const [even, odd] = await Promise.all([open(), open()]);
  const memories = [even, odd].map(({ session }) => new ResidentMemory(session));
  const end = new AbortController();
  const stretch = { all: workers.flatMap(({ objects }) => objects), untilMs: performance.now() + durationMs, end };
  const working = workers.map(async (worker, i) => await work(worker, i % 2 === 0 ? even : odd, stretch));
  t.signal.addEventListener("abort", () => end.abort());
  try {
    await Promise.all([...working, ending === "kill" ? killAfter([even, odd], durationMs * 0.9, end) : undefined]);
  } finally {
    end.abort();
    await Promise.allSettled(working);
  }
  for (const memory of memories) await memory.judge();
  if (ending === "kill") await resolveAll(t, workers);
  else await Promise.all([even, odd].map(async ({ session }) => await session.shutdown()));
}

interface Stretch {
  readonly all: readonly SoakObject[];
  readonly untilMs: number;
  /** Aborted when its processes are killed, or another worker found a fault. */
  readonly end: AbortController;
}

async function work(worker: SoakWorker, store: ObjectStoreSession, { all, untilMs, end }: Stretch): Promise<void> {
  try {
    while (performance.now() < untilMs && !end.signal.aborted) await worker.step(store, all);
  } catch (error) {
    // What a killed process owed is settled in the next one.
    if (end.signal.aborted && error instanceof WireError) return;
    // The others need not go on.
    end.abort();
    throw error;
  }
}

async function killAfter(stores: readonly ObjectStoreSession[], ms: number, end: AbortController): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    end.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  end.abort();
  await Promise.all(stores.map(async ({ session }) => await session.kill()));
}

async function resolveAll(t: TestContext, workers: readonly SoakWorker[]): Promise<void> {
  const store = await t.openObjectStore();
  for (const worker of workers) await worker.resolve(store);
  await store.session.shutdown();
}

/** The fault becomes the cause, which the report shows behind this. */
function withSeed(error: unknown, { place }: TestContext, workers: readonly SoakWorker[]): Error {
  const { seed, durationMs, workers: count } = place.soak;
  const calls = workers.reduce((sum, worker) => sum + worker.calls, 0);
  const repeat = `--slow --soak ${durationMs / 1000} --soak-workers ${count} --seed ${seed}`;
  const isVerdict = error instanceof BrokenRule || error instanceof WireError;
  const Kind = isVerdict ? BrokenRule : Error;
  return new Kind(`after ${calls} calls, which ${repeat} repeats`, { cause: error });
}
