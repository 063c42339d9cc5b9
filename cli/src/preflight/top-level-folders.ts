import { foldersFinding } from "@flotilla/sdk/plugin";
import type { Finding } from "@flotilla/sdk/plugin";

import type { OpenedStore, Session } from "../session.ts";

/** Whether the location holds what makes the server call all of it unavailable: folders that are not the server's. */
export async function checkFolders(
  session: Session,
  { client, location: { bucket, prefix } }: OpenedStore,
): Promise<Finding> {
  const root = prefix === "" ? "" : `${prefix}/`;
  return foldersFinding(
    prefix,
    await client.listCommonPrefixes({ bucket, prefix: root, delimiter: "/" }, session.call),
  );
}
