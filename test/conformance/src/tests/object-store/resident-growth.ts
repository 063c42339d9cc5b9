import type { PluginSession } from "../../plugin/plugin-session.ts";

const sampleMs = 20;

/** By how many bytes the process outgrew what it held before the work, at the worst; undefined where nobody can tell. */
export async function residentGrowth(session: PluginSession, work: () => Promise<void>): Promise<number | undefined> {
  const before = await session.residentBytes();
  let highest = before ?? 0;
  const sampling = setInterval(() => {
    void session.residentBytes().then((bytes) => (highest = Math.max(highest, bytes ?? 0)));
  }, sampleMs);
  try {
    await work();
  } finally {
    clearInterval(sampling);
  }
  return before === undefined ? undefined : highest - before;
}
