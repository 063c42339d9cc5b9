import { bodyOf } from "../../bodies.ts";
import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { WireError } from "../../plugin/wire-error.ts";
import type { TestContext } from "../../test-context.ts";
import { outcomeOf, sizes } from "./two-ways.ts";

/**
 * Makes each call of an object store at the same time, since a plugin's patience is long. `there` is read and deleted,
 * the keys `small` and `large` are written. Answers how each ended.
 */
export async function callsAtOnce(
  t: TestContext,
  store: ObjectStoreSession,
): Promise<ReadonlyMap<string, "ok" | WireError>> {
  const calls: Readonly<Record<string, Promise<unknown>>> = {
    "the put of a small object": store.put(t.key("small"), bodyOf("small", sizes.small)),
    "the put of a large object": store.put(t.key("large"), bodyOf("large", sizes.large)),
    "a get": store.get(t.key("there")),
    ObjectExists: store.exists(t.key("there")),
    ListObjects: store.listObjects(t.prefix),
    ListCommonPrefixes: store.listCommonPrefixes(t.prefix),
    DeleteObject: store.delete(t.key("there")),
  };
  const started = performance.now();
  const waiting = new Set(Object.keys(calls));
  t.signal.addEventListener("abort", () => {
    if (waiting.size > 0) store.session.journal.sent(`gave up waiting for ${[...waiting].join(", ")}`);
  });
  const outcomes = new Map<string, "ok" | WireError>();
  await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      outcomes.set(name, await outcomeOf(call));
      waiting.delete(name);
      const seconds = Math.round((performance.now() - started) / 1000);
      store.session.journal.received(`${name} ended after ${seconds} s`);
    }),
  );
  return outcomes;
}
