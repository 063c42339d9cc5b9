import { createHash } from "node:crypto";
import type { KeyObject } from "node:crypto";

import type { Principal } from "./tokens.ts";

/** A client secret; one with a date ends then. */
type ClientSecret = string | { readonly value: string; readonly expires: Date };

/** Whose tokens an application accepts in place of a secret: what Entra calls a federated identity credential. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  /** Default: `api://AzureADTokenExchange`. */
  readonly audience?: string;
  /** The key that Entra would find by the issuer's discovery document. */
  readonly publicKey: KeyObject;
}

/** An application with its service principal. */
export interface Application {
  readonly tenantId: string;
  readonly clientId: string;
  /** Default: made from the client id. */
  readonly objectId?: string;
  readonly secrets?: readonly ClientSecret[];
  /** Certificates in PEM. */
  readonly certificates?: readonly string[];
  readonly federated?: readonly FederatedCredential[];
  /** More tenants in which the application has a service principal. */
  readonly otherTenants?: readonly string[];
  readonly isDisabled?: boolean;
}

/** An identity of the machine that asks. */
export interface ManagedIdentity {
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId?: string;
  /** The ARM id of a user-assigned identity; one without is the system-assigned identity. */
  readonly resourceId?: string;
}

/** The applications and managed identities that Entra knows; a test adds and replaces them at any time. */
export class Directory {
  readonly #applications = new Map<string, Application>();
  readonly #identities = new Map<string, ManagedIdentity>();

  /** Adds an application, or replaces the one with the same client id. */
  addApplication(application: Application): void {
    this.#applications.set(application.clientId.toLowerCase(), application);
  }

  /** Adds a managed identity, or replaces the one with the same client id. */
  addManagedIdentity(identity: ManagedIdentity): void {
    this.#identities.set(identity.clientId.toLowerCase(), identity);
  }

  /** Removes what has a client id. */
  remove(clientId: string): void {
    this.#applications.delete(clientId.toLowerCase());
    this.#identities.delete(clientId.toLowerCase());
  }

  application(clientId: string): Application | undefined {
    return this.#applications.get(clientId.toLowerCase());
  }

  get managedIdentities(): readonly ManagedIdentity[] {
    return [...this.#identities.values()];
  }

  hasTenant(tenantId: string): boolean {
    const applications = [...this.#applications.values()].flatMap(tenantsOf);
    return [...applications, ...this.managedIdentities.map((one) => one.tenantId)].includes(tenantId.toLowerCase());
  }
}

/** Returns the tenants in which an application has a service principal. */
export function tenantsOf(application: Application): readonly string[] {
  return [application.tenantId, ...(application.otherTenants ?? [])].map((tenant) => tenant.toLowerCase());
}

/** Returns who an application, or a managed identity, is in a tenant. */
export function principalOf(one: Application | ManagedIdentity, tenantId = one.tenantId): Principal {
  return { tenantId, clientId: one.clientId, objectId: one.objectId ?? objectIdOf(one.clientId) };
}

function objectIdOf(clientId: string): string {
  const hex = createHash("sha256").update(`object of ${clientId.toLowerCase()}`).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}
