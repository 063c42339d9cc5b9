import { PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { isAbsentSnapshot } from "./errors.ts";
import type { Repository } from "./repository.ts";

/** Of one command line, far below the shortest limit that systems have. */
const idsAtOnce = 500;

/** Forgets snapshots; their data stays until the repository is pruned. */
export async function forgetSnapshots(
  repository: Pick<Repository, "run">,
  ids: readonly string[],
  action: string,
  call: Call,
  lockPatienceMs = 0,
): Promise<void> {
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const args = ["forget", ...ids.slice(at, at + idsAtOnce)];
    const { end } = await repository.run({ action, args, lock: "exclusive", lockPatienceMs }, call);
    // Of a snapshot that is not there nothing need be removed. What restic cannot read, or cannot tell from another one
    // by the beginning of its id, it passes over, too, and is content.
    const doubt = end.lines.find((line) => /Ignoring/.test(line) && !isAbsentSnapshot(line));
    if (doubt === undefined) continue;
    const text = `${action}: restic could not forget a snapshot (${doubt}); try again, and run restic check if that does not help`;
    throw new PluginError(text, { kind: "conflict" });
  }
}
