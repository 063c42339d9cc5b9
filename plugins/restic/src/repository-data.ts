import { tried } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import type { Repository } from "./repository.ts";

/** As long as a put waits for whoever holds the repository. */
const lockPatienceMs = 30 * 60_000;

/**
 * Lets restic check the repository's structure and read a part of its packs back. It locks the repository as restic
 * does by itself: what is added meanwhile would look like damage to it.
 */
export async function* checkRepositoryData(
  repository: Repository,
  subset: string,
  call: Call,
): AsyncGenerator<Finding, void, undefined> {
  const { shown } = repository.location;
  const detail = `${shown}: its structure is whole, and so are the packs that were read back (${subset} of them)`;
  yield await tried("repository data", detail, async () => {
    await repository.run(
      {
        action: `read back ${subset} of the packs`,
        args: ["check", `--read-data-subset=${subset}`],
        lock: "exclusive",
        lockPatienceMs,
        isSilent: true,
      },
      call,
    );
  });
}
