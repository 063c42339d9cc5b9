import { nameOf, verified } from "@flotilla/sdk/objects";
import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, ObjectRef } from "@flotilla/sdk/plugin";
import { whileRead } from "./absent-reader.ts";
import { noSnapshotCode } from "./errors.ts";
import type { ObjectVersion } from "./object-index.ts";
import { dataName } from "./object-upload.ts";
import type { Repository } from "./repository.ts";
import type { RepositoryView } from "./repository-view.ts";

/** Streams an object; its last bytes are held back until their size and hash agree with its record. */
export async function* downloadObject(
  repository: Repository,
  view: RepositoryView,
  object: ObjectRef,
  call: Call,
): AsyncGenerator<Uint8Array, void, void> {
  let version = (await view.recent(call)).current(object);
  for (;;) {
    version ??= (await view.complete(call)).current(object);
    if (version?.content === undefined)
      throw new PluginError(`get ${nameOf(object)}: not found`, { kind: "not-found" });
    const { upload } = version;
    let hasBegun = false;
    try {
      for await (const chunk of verifiedData(repository, object, version, call)) {
        hasBegun = true;
        yield chunk;
      }
      return;
    } catch (error) {
      if (hasBegun || !isForgotten(error)) throw error;
      // Replaced, or deleted, by another process since the listing.
      version = (await view.complete(call)).current(object);
      if (version?.upload === upload) throw error;
    }
  }
}

async function* verifiedData(
  repository: Repository,
  object: ObjectRef,
  { content, dataId, key }: ObjectVersion,
  call: Call,
): AsyncGenerator<Uint8Array, void, void> {
  if (content === undefined || dataId === undefined) return;
  const { sizeBytes, sha256 } = content;
  const args = ["dump", dataId, `/${dataName(key)}`];
  const request = { action: `get ${nameOf(object)}`, args, lock: "none" } as const;
  const body = whileRead((inner) => repository.stream(request, inner), call);
  const checksum = { algorithm: "sha256", bytes: sha256, scope: "full-object" } as const;
  yield* verified(object, { sizeBytes, checksum, body }, call);
}

function isForgotten(error: unknown): boolean {
  return error instanceof PluginError && error.code === noSnapshotCode;
}
