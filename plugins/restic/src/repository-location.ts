/** Where a repository is kept, as restic names its backends. */
export type Backend = "local" | "sftp" | "rest" | "s3" | "azure" | "gs" | "swift" | "b2" | "rclone";

/** A location's `repository`. */
export interface RepositoryLocation {
  /** As restic is given it. May hold a password (`rest:https://user:password@…`), so that it is never printed. */
  readonly text: string;
  readonly backend: Backend;
  /** For messages: without what a URL says of its user. */
  readonly shown: string;
  /** The user and the password in a URL, as they are written there; undefined where there are none. */
  readonly user: string | undefined;
  /** The folder of a repository on this machine; undefined for all others. */
  readonly folder: string | undefined;
}

const remote: readonly Backend[] = ["sftp", "rest", "s3", "azure", "gs", "swift", "b2", "rclone"];

/** Reads a repository in the form of restic's --repo. */
export function parseRepository(text: string): RepositoryLocation {
  const scheme = /^([a-z][a-z0-9]*):/.exec(text)?.[1];
  const backend = remote.find((name) => name === scheme);
  if (backend !== undefined) {
    if (text.length === backend.length + 1) throw new Error(`nothing follows ${backend}:`);
    const user = userOf(text, backend);
    const shown = user === undefined ? text : text.replace(`//${user}@`, "//");
    return { text, backend, shown, user, folder: undefined };
  }
  const folder = scheme === "local" ? text.slice("local:".length) : text;
  if (scheme !== undefined && scheme !== "local") throw new Error("none of restic's backends");
  // Relative to a folder that the server chose, it would be another repository after the next update.
  if (!folder.startsWith("/")) throw new Error("a folder that is not absolute, or none of restic's backends");
  return { text: folder, backend: "local", shown: folder, user: undefined, folder };
}

/** Whether both name one place, of which there are several spellings. */
export function isSamePlace(one: RepositoryLocation, other: RepositoryLocation): boolean {
  return placeOf(one) === placeOf(other);
}

function placeOf({ text, backend }: RepositoryLocation): string {
  return backend === "local" ? text.replaceAll(/\/+/g, "/").replace(/\/$/, "") : text.replace(/\/+$/, "");
}

/** Rather too much than a part of a password: one that is not percent-encoded may hold any character. */
function userOf(text: string, backend: Backend): string | undefined {
  // An sftp user is no secret, and needed to tell where it goes.
  if (backend === "sftp") return undefined;
  const isPlainHost = /\/\/(?:\[[^\]/@]*\]|[^:/@]*)(?::\d*)?(?:\/|$)/.test(text);
  return isPlainHost ? undefined : /\/\/(.*)@/.exec(text)?.[1];
}
