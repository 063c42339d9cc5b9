import type { ClientCall, ObjectStoreClient } from "@flotilla/host";
import { failure, ok, PluginError } from "@flotilla/sdk/plugin";
import type { Finding } from "@flotilla/sdk/plugin";

import type { ObjectLocation } from "../location.ts";

// The server's own, and its plugins'.
const serversOwn: ReadonlySet<string> = new Set(["backups", "restores", "restic", "metadata", "plugins", "kopia"]);
const subject = "folders";
const namedAtMost = 3;

/** Whether the location holds what makes the server call all of it unavailable: folders that are not the server's. */
export async function checkFolders(
  client: ObjectStoreClient,
  { bucket, prefix }: ObjectLocation,
  call: ClientCall,
): Promise<Finding> {
  const root = prefix === "" ? "" : `${prefix}/`;
  const where = prefix === "" ? "in the bucket" : `below ${root}`;
  const found = await client.listCommonPrefixes({ bucket, prefix: root, delimiter: "/" }, call);
  const names = found.map((path) => path.slice(root.length).replace(/\/$/, ""));
  const others = names.filter((name) => !serversOwn.has(name)).toSorted();
  if (others.length === 0) return ok(subject, `nothing but the server's own ${where}`);
  const more = others.length > namedAtMost ? ` and ${others.length - namedAtMost} more` : "";
  const named = `${others.slice(0, namedAtMost).join(", ")}${more}`;
  const text = `there is ${named} ${where}, and the server calls a location with other folders than its own unavailable; give the location a prefix of its own, or move them elsewhere`;
  return failure(subject, new PluginError(text, { kind: "invalid-config" }));
}
