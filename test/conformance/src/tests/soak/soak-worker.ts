import { expectEqual } from "../../expect.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import { absenceWordIn, WireError } from "../../plugin/wire-error.ts";
import { Dice } from "./dice.ts";
import { SoakObject } from "./soak-object.ts";

const mebibyte = 1024 ** 2;
const objectsPerWorker = 12;
/** Mostly small, as in a real location; the last two take several parts of most plugins. */
const sizes = [16, 1000, 1000, 16_384, 16_385, 1e5, 1e5, 1e5, mebibyte, mebibyte, 6 * mebibyte, 17 * mebibyte] as const;
const actions = ["put", "put", "put", "put", "get", "get", "get", "read", "list", "exists", "delete"] as const;

/** Who works: on objects that only it writes, and that all may read. */
export class SoakWorker {
  readonly objects: readonly SoakObject[];
  readonly #prefix: string;
  readonly #dice: Dice;
  #calls = 0;

  /** `seed` is of this worker alone. */
  constructor(prefix: string, seed: string) {
    this.#prefix = prefix;
    this.#dice = new Dice(seed);
    this.objects = Array.from(
      { length: objectsPerWorker },
      (_, i) => new SoakObject(`${prefix}${String(i).padStart(2, "0")}`, `${seed}/${i}`),
    );
  }

  /** How many calls it made. */
  get calls(): number {
    return this.#calls;
  }

  /** One call of an object store, judged. Rejects with the call's error, too. */
  async step(store: ObjectStoreSession, all: readonly SoakObject[]): Promise<void> {
    this.#calls += 1;
    const object = this.#dice.pick(nonEmpty(this.objects));
    switch (this.#dice.pick(actions)) {
      case "put":
        return await change(object, this.#dice.pick(sizes), async (body) => await store.put(object.key, body));
      case "delete":
        return await change(object, undefined, async () => await store.delete(object.key));
      case "get":
        return await readAndJudge(store, object);
      case "read":
        return await readAndJudge(store, this.#dice.pick(nonEmpty(all)));
      case "exists":
        return expectEqual(await store.exists(object.key), object.isLive, `whether ${object.key} exists`);
      case "list":
        return await this.judgeListing(store);
    }
  }

  /** After a process was killed: what became of the change that was under way. */
  async resolve(store: ObjectStoreSession): Promise<void> {
    for (const object of this.objects)
      if (object.newest !== object.sure) object.settle(object.judge(await readOrAbsent(store, object), object.sure));
  }

  /** Every object is there and right, every deleted one absent. */
  async judgeAll(store: ObjectStoreSession): Promise<void> {
    for (const object of this.objects) {
      expectEqual(await store.exists(object.key), object.isLive, `whether ${object.key} exists at the end`);
      await readAndJudge(store, object);
    }
    await this.judgeListing(store);
  }

  async judgeListing(store: ObjectStoreSession): Promise<void> {
    const live = this.objects.filter(({ isLive }) => isLive).map(({ key }) => key);
    expectEqual([...(await store.listObjects(this.#prefix))].sort(), live, `the listing of ${this.#prefix}`);
  }
}

async function change(
  object: SoakObject,
  sizeBytes: number | undefined,
  call: (body: Buffer) => Promise<void>,
): Promise<void> {
  const { version, body } = object.begin(sizeBytes);
  await call(body);
  object.settle(version);
}

async function readAndJudge(store: ObjectStoreSession, object: SoakObject): Promise<void> {
  const oldest = object.sure;
  object.judge(await readOrAbsent(store, object), oldest);
}

async function readOrAbsent(store: ObjectStoreSession, object: SoakObject): Promise<Buffer | undefined> {
  try {
    return await store.get(object.key);
  } catch (error) {
    if (error instanceof WireError && absenceWordIn(error.message) !== undefined) return undefined;
    throw error;
  }
}

function nonEmpty<T>(values: readonly T[]): readonly [T, ...T[]] {
  const [first, ...rest] = values;
  if (first === undefined) throw new Error("nothing to choose from");
  return [first, ...rest];
}
