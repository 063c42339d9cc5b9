import type { Finding } from "@flotilla/sdk/plugin";

import type { OpenedStore, Session } from "../session.ts";

// The server's own layout: with any other folder there it calls the location unavailable.
const known: ReadonlySet<string> = new Set(["backups", "restores", "restic", "metadata", "plugins", "kopia"]);
const namedAtMost = 5;

/** Whether the server will take what lies at the top of the location: it looks there before anything else. */
export async function examineTopLevel(session: Session, { client, location }: OpenedStore): Promise<Finding> {
  const { bucket } = location;
  const prefix = location.prefix === "" ? "" : `${location.prefix}/`;
  const folders = await client.listCommonPrefixes({ bucket, prefix, delimiter: "/" }, session.call);
  const names = folders.map((folder) => folder.slice(prefix.length).replace(/\/$/, ""));
  const foreign = names.filter((name) => !known.has(name)).toSorted();
  if (foreign.length === 0)
    return { severity: "ok", subject: "top level", detail: "only what the server keeps there", remedy: "" };
  const more = foreign.length > namedAtMost ? ` and ${foreign.length - namedAtMost} more` : "";
  const place = prefix === "" ? `in the bucket "${bucket}"` : `below "${prefix}"`;
  return {
    severity: "failure",
    subject: "top level",
    detail: `${place} there are ${foreign.slice(0, namedAtMost).join(", ")}${more}, for which the server calls a location unavailable`,
    remedy: "give the location a prefix, or a bucket, of its own",
  };
}
