import type { ClientCall } from "@flotilla/host";
import { advice, failure, ok } from "@flotilla/sdk/plugin";
import type { Finding } from "@flotilla/sdk/plugin";

import { backupsFolder } from "../backup-layout/keys.ts";
import type { OpenedStore, Session } from "../session.ts";

/** What a ReadOnly location needs, as the server itself asks for it; nothing is written to it, not even to try that. */
export async function* checkReading(
  session: Session,
  { client, location: { bucket, prefix } }: OpenedStore,
  call: ClientCall,
): AsyncGenerator<Finding> {
  const folder = backupsFolder(prefix);
  try {
    const found = await client.listCommonPrefixes({ bucket, prefix: folder, delimiter: "/" }, call);
    yield ok("list", `${found.length} backups below ${folder}`);
  } catch (error) {
    session.context.signal.throwIfAborted();
    if (call.signal?.aborted === true) throw error;
    yield failure("list", error);
    return;
  }
  yield advice(
    "accessMode",
    "the location is ReadOnly, so nothing that writes or deletes was tried",
    "set spec.accessMode to ReadWrite to have all of it tried",
  );
}
