import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/sdk/plugin";
import { definitions } from "../definitions.ts";

/**
 * The packages of Azure that are evaluated while a location of this kind is opened. What the process has loaded before
 * does not show: one call a process, which is what Node gives each test file.
 */
export async function packagesLoadedBy(
  kind: "ObjectStore" | "VolumeSnapshotter",
  config: Readonly<Record<string, string>>,
): Promise<ReadonlySet<string>> {
  const folder = await mkdtemp(join(tmpdir(), "flotilla-"));
  const loaded = new Set<string>();
  const hooks = registerHooks({
    load: (url, context, next) => {
      const [, name] = /node_modules\/(@azure\/[^/]+)\//.exec(url) ?? [];
      if (name !== undefined) loaded.add(name);
      return next(url, context);
    },
  });
  try {
    const credentialsFile = join(folder, "cloud");
    const lines = [
      "SUBSCRIPTION_ID=s",
      "RESOURCE_GROUP=g",
      "TENANT_ID=t",
      "CLIENT_ID=c",
      "CLIENT_SECRET=x",
      "KEY=a2V5",
    ];
    await writeFile(credentialsFile, lines.map((line) => `AZURE_${line}\n`).join(""));
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
