import { StorageSharedKeyCredential } from "@azure/storage-blob";
import type { TokenCredential } from "@azure/identity";
import { PluginError, within } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { requireSetting } from "./client.ts";
import type { Connection } from "./client.ts";
import type { ObjectStoreConfig } from "./config.ts";
import type { StorageAccountRequest } from "./storage-account-api.ts";

/** How blobs are reached. */
export interface StorageAccess {
  /** The account's Blob endpoint, without a slash at its end. */
  readonly endpoint: string;
  readonly credential: StorageSharedKeyCredential | TokenCredential;
}

/** How a location proves that it may use its account. */
export type AccountAuth =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "token"; readonly credential: TokenCredential }
  /** An access key, asked of Azure Resource Manager with a token. */
  | { readonly kind: "exchange"; readonly credential: TokenCredential };

const endpointTries = 2;
const endpointTryMs = 10_000;

/** The line of the credentials file that the official plugin keeps an access key in. */
export const keyLine = "AZURE_STORAGE_KEY";

/**
 * The storage account of a location. What Azure Resource Manager must be asked for is asked with the first request and
 * kept; a failure is not.
 */
export class StorageAccount {
  readonly name: string;
  readonly auth: AccountAuth;
  readonly #config: ObjectStoreConfig;
  readonly #connection: Connection;
  readonly #closed = new AbortController();
  #access: Promise<StorageAccess> | undefined;
  #current: StorageAccess | undefined;

  private constructor(name: string, auth: AccountAuth, config: ObjectStoreConfig, connection: Connection) {
    this.name = name;
    this.auth = auth;
    this.#config = config;
    this.#connection = connection;
  }

  /** Finds account and identity in the location's keys and its credentials file; asks nobody. */
  static async open(config: ObjectStoreConfig, connection: Connection): Promise<StorageAccount> {
    const name = config.storageAccount ?? accountInUri(config.storageAccountURI);
    const auth = await findAuth(config, connection);
    if (auth.kind === "exchange") requireResource(connection);
    if (auth.kind === "token") requireTls(config, "useAAD");
    return new StorageAccount(name, auth, config, connection);
  }

  /** How blobs are reached. Several calls at once wait for the same answers, each for as long as it lives. */
  async resolve(call: Call): Promise<StorageAccess> {
    this.#access ??= this.#resolve(call).catch((error: unknown) => {
      this.#access = undefined;
      throw error;
    });
    return await within(this.#access, call.signal);
  }

  /** Gives up an access key that the account no longer accepts, where another can be asked for. */
  forget(access: StorageAccess): boolean {
    if (this.auth.kind !== "exchange") return false;
    // Another call of the same time may have given it up already.
    if (this.#current === access) this.#access = undefined;
    return true;
  }

  /** Ends what is still being asked. */
  close(): void {
    this.#closed.abort(new PluginError("the location was closed", { kind: "incomplete" }));
  }

  async #resolve(call: Call): Promise<StorageAccess> {
    const [endpoint, credential] = await Promise.all([this.#endpoint(call), this.#credential()]);
    this.#current = { endpoint: endpoint.replace(/\/+$/, ""), credential };
    return this.#current;
  }

  async #credential(): Promise<StorageAccess["credential"]> {
    if (this.auth.kind === "token") return this.auth.credential;
    if (this.auth.kind === "key") return new StorageSharedKeyCredential(this.name, this.auth.key);
    const { askAccountKey } = await import("./storage-account-api.ts");
    const { subscriptionId, resourceGroup } = requireResource(this.#connection);
    const key = await askAccountKey(this.#request(this.auth.credential, subscriptionId, resourceGroup));
    return new StorageSharedKeyCredential(this.name, key);
  }

  async #endpoint(call: Call): Promise<string> {
    const { storageAccountURI, storageAccountKeyEnvVar } = this.#config;
    if (storageAccountURI !== undefined) return storageAccountURI.href;
    const { cloud, subscriptionId, resourceGroup } = this.#connection;
    const usual = `https://${this.name}.${cloud.blobSuffix}`;
    // Whoever names a key's line may have no identity to ask with.
    const canAsk = storageAccountKeyEnvVar === undefined && subscriptionId !== undefined && resourceGroup !== undefined;
    if (!canAsk) return usual;
    try {
      return (await this.#askEndpoint(subscriptionId, resourceGroup)) ?? usual;
    } catch (error) {
      // As in the official plugin: without the permission the usual endpoint is the right one for nearly every account.
      call.log.info("the account's endpoint cannot be asked for; the usual one is used", {
        endpoint: usual,
        reason: PluginError.from(error).message,
      });
      return usual;
    }
  }

  /** Asks for no longer than leaves the call its time: a silent Resource Manager must not stand in the way of the blobs. */
  async #askEndpoint(subscriptionId: string, resourceGroup: string): Promise<string | undefined> {
    const credential = this.auth.kind === "key" ? await this.#connection.openTokenCredential() : this.auth.credential;
    const { askBlobEndpoint } = await import("./storage-account-api.ts");
    const request = this.#request(credential, subscriptionId, resourceGroup);
    for (let tries = 1; tries <= endpointTries; tries += 1) {
      const overdue = AbortSignal.timeout(endpointTryMs);
      const signal = AbortSignal.any([request.signal, overdue]);
      try {
        return await within(askBlobEndpoint({ ...request, signal }), signal);
      } catch (error) {
        if (!overdue.aborted) throw error;
      }
    }
    throw new PluginError(
      `get the endpoints of storage account "${this.name}": no answer of Azure Resource Manager within ${(endpointTries * endpointTryMs) / 1000} s`,
      { kind: "timeout" },
    );
  }

  #request(credential: TokenCredential, subscriptionId: string, resourceGroup: string): StorageAccountRequest {
    const options = this.#connection.armOptions;
    return { credential, options, subscriptionId, resourceGroup, account: this.name, signal: this.#closed.signal };
  }
}

/**
 * The official plugin's order: the key of a named line; with useAAD a key in AZURE_STORAGE_KEY, else tokens; without it
 * a key asked for. Only where nobody can be asked is AZURE_STORAGE_KEY taken without useAAD as well.
 */
async function findAuth(config: ObjectStoreConfig, connection: Connection): Promise<AccountAuth> {
  const { file, subscriptionId, resourceGroup } = connection;
  const named = config.storageAccountKeyEnvVar;
  const canAsk = subscriptionId !== undefined && resourceGroup !== undefined;
  const name = named ?? (config.useAAD || !canAsk ? keyLine : undefined);
  const key = name === undefined ? undefined : file.line(name);
  if (name !== undefined && key !== undefined) return { kind: "key", key: requireBase64(key, name) };
  if (named !== undefined)
    throw new PluginError(
      `${file.description} has no line of the name in storageAccountKeyEnvVar; add the line with the account's access key or remove the location's key`,
      { kind: "invalid-config" },
    );
  const credential = await connection.openTokenCredential();
  return { kind: config.useAAD ? "token" : "exchange", credential };
}

function requireResource(connection: Connection): { readonly subscriptionId: string; readonly resourceGroup: string } {
  return {
    subscriptionId: requireSetting(connection.subscriptionId, "subscriptionId", "AZURE_SUBSCRIPTION_ID"),
    resourceGroup: requireSetting(connection.resourceGroup, "resourceGroup", "AZURE_RESOURCE_GROUP"),
  };
}

/** Refuses a Blob endpoint over plain http for what Azure takes over https only. */
export function requireTls(config: ObjectStoreConfig, key: string): void {
  if (config.storageAccountURI?.protocol !== "http:") return;
  throw new PluginError(`${key} needs https; correct storageAccountURI`, { kind: "invalid-config" });
}

/** The access key in the value of a line: the official plugin ends the value at any # and decodes across line breaks. */
function requireBase64(value: string, name: string): string {
  const key = value
    .replace(/#.*$/s, "")
    .replaceAll(/[\r\n]/g, "")
    .trim();
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return key;
  throw new PluginError(`the line ${name} of the credentials file is no access key; copy it from the storage account`, {
    kind: "invalid-config",
  });
}

/** The account in a Blob endpoint: the first label of a host name; of an address the first folder, as emulators have it. */
function accountInUri(uri: URL | undefined): string {
  if (uri === undefined)
    throw new PluginError("storageAccount is missing; set the location's key storageAccount or storageAccountURI", {
      kind: "invalid-config",
    });
  const folder = uri.pathname.split("/")[1] ?? "";
  const label = uri.hostname.split(".")[0] ?? "";
  return folder === "" ? label : folder;
}
