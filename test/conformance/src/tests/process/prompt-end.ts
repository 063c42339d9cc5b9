import { fail } from "../../expect.ts";
import type { ObservedEnd } from "../../plugin/observations.ts";
import { shutdownPatienceMs } from "../../plugin/plugin-session.ts";
import type { PluginSession } from "../../plugin/plugin-session.ts";
import type { TestContext } from "../../test-context.ts";

/** A busy machine makes some ends late; a process that waits for something is late each time. */
const tries = 3;

/** Begins sessions and ends them until one was as prompt as things are on this target, and answers how that one ended. */
export async function expectPromptEnd(t: TestContext, begin: () => Promise<PluginSession>): Promise<ObservedEnd> {
  const limitMs = shutdownPatienceMs * t.timeLimitFactor;
  const lateMs: number[] = [];
  while (lateMs.length < tries) {
    const end = await (await begin()).shutdown();
    if (end.signal !== "SIGKILL" && end.tookMs < limitMs) return end;
    lateMs.push(Math.round(end.tookMs));
  }
  return fail(`of ${tries} processes none had ended ${limitMs} ms after Shutdown: ${lateMs.join(", ")} ms`);
}
