import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { isAbsentSnapshot, kindOf } from "./errors.ts";
import type { Repository } from "./repository.ts";
import type { ResticEnd } from "./restic-process.ts";

/** Of one command line, far below the shortest limit that systems have. */
const idsAtOnce = 500;

/** Repositories whose store removes nothing: older versions try that for most of a minute each time. */
const appendOnly = new WeakSet<object>();

/** Forgets snapshots; their data stays until the repository is pruned. Throws `denied` where the store removes nothing. */
export async function forgetSnapshots(
  repository: Pick<Repository, "run">,
  ids: readonly string[],
  action: string,
  call: Call,
  lockPatienceMs = 0,
): Promise<void> {
  if (ids.length > 0 && appendOnly.has(repository))
    throw new PluginError(`${action}: the repository's store has refused to remove snapshots before`, {
      kind: "denied",
    });
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const args = ["forget", ...ids.slice(at, at + idsAtOnce)];
    try {
      const { end } = await repository.run({ action, args, lock: "exclusive", lockPatienceMs }, call);
      requireForgotten(end, action);
    } catch (error) {
      if (PluginError.from(error).kind === "denied") appendOnly.add(repository);
      throw error;
    }
  }
}

/** restic is content, too, with what it could not read, and 0.17 and later with what the store did not remove. */
function requireForgotten(end: ResticEnd, action: string): void {
  if (end.lines.some((line) => /unable to remove <?snapshot/.test(line))) {
    const reason = end.lines.find((line) => /^Remove\(.*failed/.test(line)) ?? end.lines.at(-1);
    const text = `${action}: the repository's store did not remove a snapshot (${reason}); check what the credentials of the location may do there`;
    throw new PluginError(text, { kind: kindOf(end) ?? "conflict" });
  }
  // Of a snapshot that is not there nothing need be removed. What restic cannot read, or cannot tell from another one
  // by the beginning of its id, it passes over.
  const doubt = end.lines.find((line) => /Ignoring/.test(line) && !isAbsentSnapshot(line));
  if (doubt === undefined) return;
  const text = `${action}: restic could not forget a snapshot (${doubt}); try again, and run restic check if that does not help`;
  throw new PluginError(text, { kind: "conflict" });
}
