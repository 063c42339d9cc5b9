import { GceError } from "./gce-error.ts";

/** Permissions that a principal lacks. */
export interface MissingGcePermission {
  /** Permissions in IAM's spelling, `*` as wildcard at the end: `compute.snapshots.setLabels`, `compute.*`. */
  readonly permissions: readonly string[];
  /** Those of them that are there, as a role has them. */
  readonly except?: readonly string[];
  /** Only for this member; absent means everyone. */
  readonly member?: string;
  /** Only in this project; absent means everywhere. */
  readonly project?: string;
}

/** What principals may not do; everything else everyone with a token may. */
export class GcePermissions {
  #missing: readonly MissingGcePermission[] = [];

  /** Takes permissions away; call what comes back to give them again. */
  deny(missing: MissingGcePermission): () => void {
    this.#missing = [...this.#missing, missing];
    return () => {
      this.#missing = this.#missing.filter((other) => other !== missing);
    };
  }

  /** Refuses what the member may not do on what a path names. */
  check(member: string, permission: string, path: string): void {
    const isMissing = this.#missing.some(
      (missing) =>
        (missing.member === undefined || missing.member === member) &&
        (missing.project === undefined || path.startsWith(`projects/${missing.project}`)) &&
        missing.permissions.some((pattern) => matches(pattern, permission)) &&
        missing.except?.some((pattern) => matches(pattern, permission)) !== true,
    );
    if (isMissing) throw new GceError(403, "forbidden", `Required '${permission}' permission for '${path}'`);
  }
}

function matches(pattern: string, permission: string): boolean {
  return pattern.endsWith("*") ? permission.startsWith(pattern.slice(0, -1)) : pattern === permission;
}
