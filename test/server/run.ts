import { spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { join } from "node:path";

import { ownChild } from "../interop/child.ts";
import { builtAzurePlugin, builtGcpPlugin, builtPlugin, builtResticPlugin } from "../interop/paths.ts";
import { installAll, officialGcpPlugin, officialPlugin, restic } from "../interop/toolchain.ts";
import type { Installation } from "../interop/toolchain.ts";
import { findRestic } from "../restic/find-restic.ts";
import { parseServerArguments, usage } from "./arguments.ts";
import type { StoryName } from "./arguments.ts";
import { apiServer, controllerManager, etcd, installPrograms, kubectl, velero } from "./toolchain.ts";

interface Judged {
  readonly executable: string;
  /** The files below stories/. */
  readonly stories: readonly string[];
  /** What its stories run beside it. */
  readonly needs: readonly Installation[];
}

const judged: Readonly<Record<StoryName, Judged>> = {
  aws: { executable: builtPlugin, stories: ["aws.ts", "aws-region.ts"], needs: [officialPlugin] },
  azure: { executable: builtAzurePlugin, stories: ["azure.ts", "azure-region.ts"], needs: [] },
  gcp: { executable: builtGcpPlugin, stories: ["gcp.ts", "gcp-region.ts"], needs: [officialGcpPlugin] },
  restic: { executable: builtResticPlugin, stories: ["restic.ts"], needs: findRestic() === undefined ? [restic] : [] },
};

// The programs listen on ports of their own choosing and on all addresses: so they have a network, a list of processes
// and mounts of their own, in which there is nothing but loopback, and which all go with the last of them.
const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
const enter = 'ip link set lo up && exec "$@"';

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const options = parseServerArguments(process.argv.slice(2));
  if (options === undefined) {
    print(usage);
    return 0;
  }
  const clouds = options.clouds.map((cloud) => judged[cloud]);
  for (const { executable } of clouds) await requireBuilt(executable);
  await installPrograms([etcd, apiServer, controllerManager, kubectl, velero], print);
  await installAll(
    clouds.flatMap(({ needs }) => needs),
    print,
  );
  const files = clouds.flatMap(({ stories }) => stories.map((file) => join(import.meta.dirname, "stories", file)));
  const tests = [process.execPath, "--test", "--test-concurrency=1", "--test-reporter=spec", ...files];
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const child = ownChild(
    spawn("unshare", [...user, ...namespaces, "sh", "-c", enter, "sh", ...tests], { stdio: "inherit" }),
  );
  const [code] = await once(child, "exit");
  return typeof code === "number" ? code : 1;
}

/** The executable alone does not start in the server's root: what it needs there is packaged beside it. */
async function requireBuilt(executable: string): Promise<void> {
  for (const path of [executable, `${executable}.lib`])
    await access(path).catch((cause: unknown) => {
      throw new Error(`${path} is not there; package the plugins first: npx turbo run package`, { cause });
    });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
