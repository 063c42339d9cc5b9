import { GcsError } from "./gcs-error.ts";

/** Permissions that a principal lacks. */
export interface MissingGcsPermission {
  /** Permissions in IAM's spelling, `*` as wildcard at the end: `storage.objects.get`, `storage.*`. */
  readonly permissions: readonly string[];
  /** Those of them that are there, as a role has them. */
  readonly except?: readonly string[];
  /** Only for this member; absent means everyone. */
  readonly member?: string;
  /** Only in this bucket; absent means everywhere. */
  readonly bucket?: string;
}

/** What principals may not do; everything else everyone with a token may. */
export class GcsPermissions {
  #missing: readonly MissingGcsPermission[] = [];

  /** Takes permissions away; call what comes back to give them again. */
  deny(missing: MissingGcsPermission): () => void {
    this.#missing = [...this.#missing, missing];
    return () => {
      this.#missing = this.#missing.filter((other) => other !== missing);
    };
  }

  /** Refuses what the member may not do. */
  check(member: string, permission: string, bucket: string): void {
    const isMissing = this.#missing.some(
      (missing) =>
        (missing.member === undefined || missing.member === member) &&
        (missing.bucket === undefined || missing.bucket === bucket) &&
        missing.permissions.some((pattern) => matches(pattern, permission)) &&
        missing.except?.some((pattern) => matches(pattern, permission)) !== true,
    );
    if (isMissing)
      throw new GcsError(403, "forbidden", describeDenial(member, permission), { xmlCode: "AccessDenied" });
  }
}

/** Says what a member may not do, as the service does. */
export function describeDenial(member: string, permission: string): string {
  const what = permission.startsWith("storage.objects.") && permission !== "storage.objects.list" ? "object" : "bucket";
  return `${member} does not have ${permission} access to the Google Cloud Storage ${what}. Permission '${permission}' denied on resource (or it may not exist).`;
}

function matches(pattern: string, permission: string): boolean {
  return pattern.endsWith("*") ? permission.startsWith(pattern.slice(0, -1)) : pattern === permission;
}
