import { randomUUID } from "node:crypto";

import { advice, ok, tried } from "@flotilla/sdk/plugin";
import type { Call, Finding } from "@flotilla/sdk/plugin";
import { ownDomain } from "@flotilla/sdk/plugin";

import { checkRemoval } from "./removal-check.ts";
import type { Repository } from "./repository.ts";
import type { RepositoryIdentity } from "./repository-identity.ts";
import type { SecondRepository } from "./second-repository.ts";
import { writeMark } from "./volume-mark.ts";
import { forget, listSnapshots } from "./volume-snapshots.ts";

/** What is looked at. */
export interface CopyCheck {
  readonly second: SecondRepository | undefined;
  readonly wait: "none" | "completed";
}

const subject = "copyToRepository";

/** Tries what copies need in the second repository: opening it, adding to it, removing from it. */
export async function* checkCopies({ second, wait }: CopyCheck, call: Call): AsyncGenerator<Finding, void, undefined> {
  if (second === undefined) return;
  const { repository, region } = second;
  let found: { readonly own: RepositoryIdentity; readonly second: RepositoryIdentity } | undefined;
  const opens = `${region} opens, and is another repository than the location's own`;
  yield await tried(subject, opens, async () => {
    await repository.make(call);
    found = await second.identities(call);
  });
  if (found === undefined) return;
  yield found.own.polynomial === found.second.polynomial
    ? ok(subject, "both repositories cut files alike, so that what is copied takes its room once")
    : advice(
        subject,
        `${region} cuts files otherwise than the location's own repository: copies are whole, but what both hold of other backups takes its room twice`,
        "nothing, where only copies go there; otherwise make it anew by restic init --copy-chunker-params, or by initialize",
      );
  let probeIds: readonly string[] | undefined;
  yield await tried(subject, `a snapshot can be added to ${region}`, async () => {
    probeIds = await addProbe(repository, call);
  });
  const ids = probeIds;
  if (ids !== undefined)
    yield await checkRemoval(subject, `a snapshot can be removed from ${region}`, async () => {
      await forget(repository, ids, call);
    });
  if (wait === "none")
    yield advice(
      subject,
      "without wait: completed, copies are not made while a backup runs",
      "run `flotilla volume copy --all --watch` as a CronJob, or set wait to completed",
    );
}

async function addProbe(repository: Repository, call: Call): Promise<readonly string[]> {
  const probe = `${ownDomain}/check=${randomUUID()}`;
  await writeMark(repository, { action: "add a snapshot", tags: [probe] }, call);
  const { snapshots } = await listSnapshots(repository, call);
  return snapshots.filter(({ tags }) => tags.includes(probe)).map(({ id }) => id);
}
