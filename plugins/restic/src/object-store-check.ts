import { randomUUID } from "node:crypto";
import { ok, tried, withoutEffect } from "@flotilla/sdk/plugin";
import type { Call, Finding, ObjectRef } from "@flotilla/sdk/plugin";
import { objectStoreConfig } from "./config.ts";
import type { ObjectStoreConfig } from "./config.ts";
import { ObjectUpload } from "./object-upload.ts";
import type { Repository } from "./repository.ts";
import { checkRemoval } from "./removal-check.ts";
import type { RepositoryView } from "./repository-view.ts";
import { forgetSnapshots } from "./snapshot-removal.ts";

/** What a location consists of once it is open. */
export interface CheckedStore {
  readonly config: ObjectStoreConfig;
  readonly repository: Repository;
  readonly view: RepositoryView;
}

/** Tries what a location needs: reading the repository, adding to it, removing from it. */
export async function* checkRepository(
  { config, repository, view }: CheckedStore,
  call: Call,
): AsyncGenerator<Finding, void, void> {
  const { restic, location } = repository;
  yield* withoutEffect(objectStoreConfig, config);
  yield ok("restic", `${restic.path} is version ${restic.version.text}`);
  yield await tried("read", `the snapshots of ${location.shown} can be listed`, async () => {
    await repository.make(call);
    await view.listing(call);
  });
  let probeId: string | undefined;
  yield await tried("add", "a snapshot can be added", async () => {
    const probe: ObjectRef = { bucket: config.bucket, key: `check-${randomUUID()}` };
    await using upload = new ObjectUpload(probe, once(Buffer.from("flotilla check\n")));
    probeId = await upload.storeData(repository, call);
  });
  if (probeId === undefined) return;
  const id = probeId;
  yield await tried("read back", "a snapshot that was just added can be read", async () => {
    const request = { action: "read a snapshot", args: ["ls", id], lock: "none" } as const;
    await repository.run(request, call);
  });
  yield await checkRemoval("remove", "a snapshot can be removed", async () => {
    await forgetSnapshots(repository, [id], "remove a snapshot", call);
  });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}
