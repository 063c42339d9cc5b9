import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/sdk/plugin";
import { definitions } from "../definitions.ts";

/**
 * The plugin's own modules and the packages of Google that are evaluated while a location of this kind is opened. What the
 * process has loaded before does not show: one call a process, which is what Node gives each test file.
 */
export async function modulesLoadedBy(
  kind: "ObjectStore" | "VolumeSnapshotter",
  config: Readonly<Record<string, string>>,
): Promise<ReadonlySet<string>> {
  const folder = await mkdtemp(join(tmpdir(), "flotilla-"));
  const loaded = new Set<string>();
  const hooks = registerHooks({
    load: (url, context, next) => {
      const [, name] =
        /node_modules\/(@google-cloud\/[^/]+|google-[^/]+)\//.exec(url) ?? /plugins\/gcp\/src\/(.+)$/.exec(url) ?? [];
      if (name !== undefined) loaded.add(name);
      return next(url, context);
    },
  });
  try {
    const credentialsFile = join(folder, "cloud");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = {
      type: "service_account",
      project_id: "p",
      client_email: "velero@p.iam.gserviceaccount.com",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    };
    await writeFile(credentialsFile, JSON.stringify(key));
    const definition = definitions.find((one) => one.kind === kind);
    const context = { log: silentLogger, env: {}, signal: new AbortController().signal };
    const opened = await definition?.open({ ...config, credentialsFile }, context);
    await opened?.close?.();
  } finally {
    hooks.deregister();
    await rm(folder, { recursive: true });
  }
  return loaded;
}
