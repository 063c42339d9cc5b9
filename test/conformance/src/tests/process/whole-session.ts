import { bodyOf } from "../../bodies.ts";
import { expectError } from "../../expect.ts";
import type { PluginSession } from "../../plugin/plugin-session.ts";
import type { TestContext } from "../../test-context.ts";

const mebibyte = 1024 ** 2;

/** What the server does with a location on a good day, the answers that say "it is not there" included. */
export async function useEverything(t: TestContext, session: PluginSession): Promise<void> {
  await session.listPlugins();
  if (t.target.objectStore !== undefined) await useObjects(t, session);
  if (t.target.volumeSnapshotter !== undefined) await useVolumes(t, session);
}

async function useObjects(t: TestContext, session: PluginSession): Promise<void> {
  const store = await t.openObjectStore({ session });
  await store.put(t.key("everything"), bodyOf("everything", 2 * mebibyte));
  await store.get(t.key("everything"));
  await store.exists(t.key("everything"));
  await store.exists(t.key("absent"));
  await store.listCommonPrefixes(t.prefix);
  await store.listObjects(t.prefix);
  await store.delete(t.key("everything"));
}

async function useVolumes(t: TestContext, session: PluginSession): Promise<void> {
  const snapshotter = await t.openVolumeSnapshotter({ session });
  for (const { spec } of t.volumeTarget.persistentVolumes ?? []) {
    const volume = { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "pv" }, spec };
    await snapshotter.getVolumeId(JSON.stringify(volume));
  }
}

/** A get of an object that is gone. */
export async function askForAbsent(t: TestContext, session: PluginSession): Promise<void> {
  if (t.target.objectStore === undefined) return;
  const store = await t.openObjectStore({ session });
  await expectError(store.get(t.key("absent")), "a get of an absent object");
}
