import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** A key of a service account, by the id that stands in key files and in the header of what it signs. */
interface ServiceAccountKey {
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** A service account to create. */
export interface ServiceAccountSeed {
  readonly email: string;
  /** Default: what stands between `@` and the first dot of the e-mail address. */
  readonly projectId?: string;
  /** Who may ask for its tokens and let it sign: e-mail addresses, or `principal://…` of federated identities. Default: nobody, itself included. */
  readonly tokenCreators?: readonly string[];
}

/** A service account with its keys. */
export interface ServiceAccount extends Required<ServiceAccountSeed> {
  readonly uniqueId: string;
  /** The public halves of key files that were made for it. */
  readonly keys: ServiceAccountKey[];
  /** The key that Google keeps for it, with which signBlob signs. */
  readonly managedKey: ServiceAccountKey & { readonly privateKey: KeyObject };
}

/** A user who signed in once: what credentials of type `authorized_user` stand for. */
export interface User {
  readonly email: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

/** A provider of a workload identity pool: whose tokens are exchanged for Google's. */
export interface WorkloadProvider {
  /** `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER` */
  readonly audience: string;
  readonly issuer: string;
  /** What the tokens of the issuer must be made out to. Default: the provider's audience, with or without `https:`. */
  readonly allowedAudiences?: readonly string[];
  /** The key that would be found by the issuer's discovery document. */
  readonly publicKey: KeyObject;
}

/** The identities that are known; a test adds and removes them at any time. */
export class GoogleDirectory {
  readonly #accounts = new Map<string, ServiceAccount>();
  readonly #providers = new Map<string, WorkloadProvider>();
  readonly users: User[] = [];

  /** Adds a service account, or changes what is known of it; its keys stay. */
  addServiceAccount(seed: ServiceAccountSeed): ServiceAccount {
    const known = this.#accounts.get(seed.email) ?? newAccount(seed.email);
    const account = { ...known, ...seed };
    this.#accounts.set(seed.email, account);
    return account;
  }

  /** Finds a service account by its e-mail address or its unique id. */
  serviceAccount(name: string): ServiceAccount | undefined {
    return this.#accounts.get(name) ?? [...this.#accounts.values()].find(({ uniqueId }) => uniqueId === name);
  }

  /** Forgets a service account: what it signed is worth nothing any more. */
  removeServiceAccount(email: string): void {
    this.#accounts.delete(email);
  }

  /** Makes a key for a service account and returns it as the key file of type `service_account`. */
  createKey(email: string, tokenUri: string): Record<string, string> {
    const account = this.serviceAccount(email) ?? this.addServiceAccount({ email });
    const { id, publicKey, privateKey } = newKey();
    account.keys.push({ id, publicKey });
    return {
      type: "service_account",
      project_id: account.projectId,
      private_key_id: id,
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      client_email: email,
      client_id: account.uniqueId,
      token_uri: tokenUri,
    };
  }

  /** Deletes a key of a service account. */
  deleteKey(email: string, keyId: string): void {
    const keys = this.serviceAccount(email)?.keys ?? [];
    const at = keys.findIndex(({ id }) => id === keyId);
    if (at !== -1) keys.splice(at, 1);
  }

  /** Returns the keys whose signatures count as the account's, of one id where it is given. */
  verificationKeys(email: string, keyId = ""): readonly KeyObject[] {
    const account = this.serviceAccount(email);
    if (account === undefined) return [];
    const all = [...account.keys, account.managedKey];
    return all.filter(({ id }) => keyId === "" || id === keyId).map(({ publicKey }) => publicKey);
  }

  addProvider(provider: WorkloadProvider): void {
    this.#providers.set(provider.audience, provider);
  }

  provider(audience: string): WorkloadProvider | undefined {
    return this.#providers.get(audience);
  }
}

/** Returns how IAM names an identity that came by a workload identity pool. */
export function federatedMember(provider: WorkloadProvider, subject: string): string {
  const pool = provider.audience.replace(/\/providers\/[^/]+$/, "");
  return `principal:${pool}/subject/${subject}`;
}

function newAccount(email: string): ServiceAccount {
  const [, projectId = "project"] = /@([^.]+)/.exec(email) ?? [];
  const uniqueId = `1${BigInt(`0x${randomBytes(8).toString("hex")}`)}`.padEnd(21, "0");
  return { email, projectId, tokenCreators: [], uniqueId, keys: [], managedKey: newKey() };
}

function newKey(): ServiceAccount["managedKey"] {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { id: randomBytes(20).toString("hex"), privateKey, publicKey: createPublicKey(privateKey) };
}
