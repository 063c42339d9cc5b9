import type { Finding } from "@flotilla/sdk/plugin";

import type { OpenedStore, Session } from "../session.ts";

// At each look the server refuses a location that has any other: pkg/persistence/object_store_layout.go.
const known: ReadonlySet<string> = new Set(["backups", "restores", "restic", "metadata", "plugins", "kopia"]);
const mostNamed = 3;

/** Whether the server would take the location for what it is, by the folders at its top. */
export async function checkTopFolders(session: Session, { client, location }: OpenedStore): Promise<Finding> {
  const prefix = location.prefix === "" ? "" : `${location.prefix}/`;
  const found = await client.listCommonPrefixes({ bucket: location.bucket, prefix, delimiter: "/" }, session.call);
  const strange = found.map((folder) => folder.slice(prefix.length, -1)).filter((name) => !known.has(name));
  const subject = "folders";
  if (strange.length === 0)
    return { severity: "ok", subject, detail: "there is none at the top that the server does not know", remedy: "" };
  const named = strange.slice(0, mostNamed).map((name) => JSON.stringify(name));
  const more = strange.length > mostNamed ? ` and ${strange.length - mostNamed} more` : "";
  return {
    severity: "failure",
    subject,
    detail: `${named.join(", ")}${more}: the server knows no such folder, and calls the location unavailable`,
    remedy: "move it away, or give the location a folder of its own (spec.objectStorage.prefix)",
  };
}
