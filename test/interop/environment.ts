import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Shuts out what the person who runs this has set up for clouds and proxies: identities come from the locations alone. */
export async function pluginEnvironment(dir: string): Promise<Record<string, string>> {
  const none = join(dir, "no-aws-settings");
  await writeFile(none, "");
  return {
    AWS_CONFIG_FILE: none,
    AWS_SHARED_CREDENTIALS_FILE: none,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    AWS_SESSION_TOKEN: "",
    AWS_PROFILE: "",
    AWS_REGION: "",
    AWS_DEFAULT_REGION: "",
    GOOGLE_APPLICATION_CREDENTIALS: "",
    GOOGLE_CLOUD_PROJECT: "",
    GOOGLE_CLOUD_QUOTA_PROJECT: "",
    GOOGLE_CLOUD_UNIVERSE_DOMAIN: "",
    STORAGE_EMULATOR_HOST: "",
    CLOUDSDK_CONFIG: dir,
    // Nobody answers there.
    GCE_METADATA_HOST: "127.0.0.1:1",
    HTTP_PROXY: "",
    HTTPS_PROXY: "",
    http_proxy: "",
    https_proxy: "",
    NO_PROXY: "",
    no_proxy: "",
  };
}
