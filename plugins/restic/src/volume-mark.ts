import { ownDomain } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";

import { ReplayableBody } from "./replayable-body.ts";
import type { Repository } from "./repository.ts";

/** Always the same, so that restic finds the former snapshot of a volume wherever the server ran. */
export const host = ownDomain;

/** What is said of a snapshot. */
export interface Mark {
  /** For errors. */
  readonly action: string;
  readonly tags: readonly string[];
}

/**
 * Says something of a snapshot by a tiny snapshot of its own: to change a tag, restic wants the repository for itself
 * alone, and would wait for every backup that runs.
 */
export async function writeMark(repository: Repository, { action, tags }: Mark, call: Call): Promise<void> {
  const args = [
    "backup",
    "--host",
    host,
    ...tags.flatMap((tag) => ["--tag", tag]),
    "--stdin",
    "--stdin-filename",
    "mark",
  ];
  // Always the same content, which is stored once.
  const input = new ReplayableBody(once(Buffer.from("see the tags\n")));
  await repository.run({ action, args, lock: "append", input }, call);
}

// oxlint-disable-next-line typescript/require-await -- a body is an async iterable
async function* once(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield content;
}
