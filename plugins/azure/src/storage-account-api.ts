import { createStorageManagement } from "@azure/arm-storage/api";
import { getProperties, listKeys } from "@azure/arm-storage/api/storageAccounts";
import type { TokenCredential } from "@azure/identity";
import { PluginError } from "@flotilla/sdk/plugin";
import { translateArmError } from "./arm-errors.ts";
import type { ArmClientOptions } from "./client.ts";

/** Which storage account is asked about, and as whom. */
export interface StorageAccountRequest {
  readonly credential: TokenCredential;
  readonly options: ArmClientOptions;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly account: string;
  readonly signal: AbortSignal;
}

// The official plugin's. The SDK asks for its own newest, which the national clouds learn of months later.
const apiVersion = "2024-01-01";

/** Asks Azure Resource Manager for an access key that may do everything. */
export async function askAccountKey(request: StorageAccountRequest): Promise<string> {
  const { resourceGroup, account, signal } = request;
  const attempt = {
    action: `get an access key of storage account "${account}" in resource group "${resourceGroup}"`,
    permission: "Microsoft.Storage/storageAccounts/listKeys/action",
    deniedAdvice: 'or set the location\'s key useAAD to "true"',
    signal,
  };
  try {
    const { keys = [] } = await listKeys(contextOf(request), resourceGroup, account, {
      expand: "kerb",
      abortSignal: signal,
    });
    // The service writes FULL where its reference writes Full.
    const key = keys.find(({ permissions, value }) => permissions?.toLowerCase() === "full" && value !== undefined);
    if (key?.value !== undefined) return key.value;
  } catch (error) {
    throw translateArmError(error, attempt);
  }
  throw new PluginError(`${attempt.action}: it has none with full permission; ${attempt.deniedAdvice}`, {
    kind: "invalid-config",
  });
}

/** Asks Azure Resource Manager for the Blob endpoint; undefined where the account names none. */
export async function askBlobEndpoint(request: StorageAccountRequest): Promise<string | undefined> {
  const { resourceGroup, account, signal } = request;
  const attempt = {
    action: `get the endpoints of storage account "${account}" in resource group "${resourceGroup}"`,
    permission: "Microsoft.Storage/storageAccounts/read",
    signal,
  };
  try {
    const found = await getProperties(contextOf(request), resourceGroup, account, { abortSignal: signal });
    return found.primaryEndpoints?.blob;
  } catch (error) {
    throw translateArmError(error, attempt);
  }
}

function contextOf(request: StorageAccountRequest): ReturnType<typeof createStorageManagement> {
  return createStorageManagement(request.credential, request.subscriptionId, { ...request.options, apiVersion });
}
