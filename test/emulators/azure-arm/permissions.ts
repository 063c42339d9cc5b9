import type { Principal } from "../azure-identity/tokens.ts";
import { ArmError } from "./arm-error.ts";

/** Actions that a principal lacks. */
export interface MissingPermission {
  /** Actions in Azure's spelling, `*` as wildcard: `Microsoft.Compute/snapshots/write`, `Microsoft.Compute/*`. */
  readonly actions: readonly string[];
  /** Those of them that are there, as a role has them. */
  readonly except?: readonly string[];
  /** Only for this application; absent means everyone. */
  readonly clientId?: string;
  /** Only at and below this id; absent means everywhere. */
  readonly scope?: string;
}

/** What principals may not do; everything else they may. */
export class Permissions {
  #missing: readonly MissingPermission[] = [];

  /** Takes a permission away; call what comes back to give it again. */
  deny(missing: MissingPermission): () => void {
    this.#missing = [...this.#missing, missing];
    return () => {
      this.#missing = this.#missing.filter((other) => other !== missing);
    };
  }

  /** Refuses an action that the principal may not do. */
  check(principal: Principal, action: string, scope: string): void {
    if (!this.#lacks(principal, action, scope)) return;
    throw new ArmError(
      403,
      "AuthorizationFailed",
      `The client '${principal.clientId}' with object id '${principal.objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    );
  }

  /** Refuses a write that needs an action on another resource, which the principal may not do. */
  checkLinked(
    principal: Principal,
    write: { readonly action: string; readonly scope: string },
    linked: { readonly action: string; readonly scope: string },
  ): void {
    if (!this.#lacks(principal, linked.action, linked.scope)) return;
    throw new ArmError(
      403,
      "LinkedAuthorizationFailed",
      `The client '${principal.clientId}' with object id '${principal.objectId}' has permission to perform action '${write.action}' on scope '${write.scope}'; however, it does not have permission to perform action(s) '${linked.action}' on the linked scope(s) '${linked.scope}' (respectively) or the linked scope(s) are invalid.`,
    );
  }

  #lacks(principal: Principal, action: string, scope: string): boolean {
    return this.#missing.some(
      (missing) =>
        (missing.clientId === undefined || missing.clientId.toLowerCase() === principal.clientId.toLowerCase()) &&
        (missing.scope === undefined || isBelow(scope, missing.scope)) &&
        missing.actions.some((pattern) => matches(pattern, action)) &&
        missing.except?.some((pattern) => matches(pattern, action)) !== true,
    );
  }
}

function isBelow(scope: string, parent: string): boolean {
  return `${scope}/`.toLowerCase().startsWith(`${parent.replace(/\/+$/, "")}/`.toLowerCase());
}

function matches(pattern: string, action: string): boolean {
  const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("*", ".*");
  return new RegExp(`^${escaped}$`, "i").test(action);
}
