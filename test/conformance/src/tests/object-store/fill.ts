import type { ObjectStoreSession } from "../../plugin/object-store-session.ts";
import type { TestContext } from "../../test-context.ts";
import { atOnce } from "./at-once.ts";

const objectsAtOnce = 16;

/** Puts a small object under each name, and removes them with the test: thousands would hold up the end of the run. */
export async function fill(t: TestContext, store: ObjectStoreSession, names: readonly string[]): Promise<void> {
  if (names.length > 100) t.own(() => atOnce(names, objectsAtOnce, (name) => store.delete(t.key(name))));
  await atOnce(names, objectsAtOnce, (name) => store.put(t.key(name), Buffer.from(name)));
}

/** Puts an object without bytes, as consoles make them to show a folder. */
export async function putMarker(store: ObjectStoreSession, key: string): Promise<void> {
  await store.putMessages(oneEmptyMessage(store, key));
}

async function* oneEmptyMessage(store: ObjectStoreSession, key: string) {
  yield store.putMessage(key, new Uint8Array());
}
