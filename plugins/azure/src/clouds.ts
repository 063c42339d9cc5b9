import { PluginError } from "@flotilla/sdk/plugin";

/** Where the services of one Azure cloud are. */
export interface AzureCloud {
  /** Entra. */
  readonly authorityHost: string;
  /** Azure Resource Manager; its tokens are for this audience. */
  readonly armEndpoint: string;
  /** What follows the account's name in the host of its Blob endpoint. */
  readonly blobSuffix: string;
}

/** The cloud that everybody can use. */
export const publicCloud: AzureCloud = {
  authorityHost: "https://login.microsoftonline.com",
  armEndpoint: "https://management.azure.com",
  blobSuffix: "blob.core.windows.net",
};

const chinaCloud: AzureCloud = {
  authorityHost: "https://login.chinacloudapi.cn",
  armEndpoint: "https://management.chinacloudapi.cn",
  blobSuffix: "blob.core.chinacloudapi.cn",
};

const usGovernmentCloud: AzureCloud = {
  authorityHost: "https://login.microsoftonline.us",
  armEndpoint: "https://management.usgovcloudapi.net",
  blobSuffix: "blob.core.usgovcloudapi.net",
};

const cloudsByName = new Map<string, AzureCloud>([
  ["azurecloud", publicCloud],
  ["azurepubliccloud", publicCloud],
  ["azurechinacloud", chinaCloud],
  ["azureusgovernment", usGovernmentCloud],
  ["azureusgovernmentcloud", usGovernmentCloud],
]);

/** The cloud of AZURE_CLOUD_NAME, in any case; undefined for an unset name. */
export function cloudNamed(name: string | undefined): AzureCloud | undefined {
  if (name === undefined || name === "") return undefined;
  const cloud = cloudsByName.get(name.toLowerCase());
  if (cloud !== undefined) return cloud;
  throw new PluginError(
    "AZURE_CLOUD_NAME is no Azure cloud; it is one of AzurePublicCloud, AzureChinaCloud, AzureUSGovernmentCloud",
    { kind: "invalid-config" },
  );
}

/** Whether Entra's own instance discovery vouches for this authority. */
export function isKnownAuthority(authorityHost: string): boolean {
  const host = new URL(authorityHost).host;
  return [...cloudsByName.values()].some((cloud) => new URL(cloud.authorityHost).host === host);
}
