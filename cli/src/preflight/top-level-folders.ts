import type { ClientCall, ObjectStoreClient } from "@flotilla/host";
import { foldersFinding } from "@flotilla/sdk/plugin";
import type { Finding } from "@flotilla/sdk/plugin";

import type { ObjectLocation } from "../location.ts";

/** Whether the location holds what makes the server call all of it unavailable: folders that are not the server's. */
export async function checkFolders(
  client: ObjectStoreClient,
  { bucket, prefix }: ObjectLocation,
  call: ClientCall,
): Promise<Finding> {
  const root = prefix === "" ? "" : `${prefix}/`;
  return foldersFinding(prefix, await client.listCommonPrefixes({ bucket, prefix: root, delimiter: "/" }, call));
}
