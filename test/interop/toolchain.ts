import { access, cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runProgram } from "./child.ts";
import { cacheDir, goModuleDir } from "./paths.ts";

/** One thing that a run installs below the cache folder. */
export interface Installation {
  readonly name: string;
  install(): Promise<void>;
}

const installTries = 3;
const betweenTriesMs = 5000;
const binDir = join(cacheDir, "bin");
const motoVersion = "5.2.5";
const ministackVersion = "1.5.33";
const venvDir = join(cacheDir, `venv-moto-${motoVersion}-ministack-${ministackVersion}`);

/** Velero's client code with our checks and benchmarks around it; built anew each time, which Go makes quick. */
export const veleroClient = {
  name: "velero-client (Go, from this folder)",
  path: join(binDir, "velero-client"),
  install: () => go(["build", "-o", join(binDir, "velero-client"), "."], { cwd: goModuleDir }),
};

/** The releases of Velero beside the one in go.mod whose client code can drive a plugin, by their minor version. */
export const formerVelero = { "1.17": "v1.17.2", "1.16": "v1.16.2" } as const;

/** A minor version of Velero whose client code is not the one in go.mod. */
export type FormerVelero = keyof typeof formerVelero;

/** The client code of an earlier minor version of Velero, with the same checks around it. */
export function formerVeleroClient(minor: FormerVelero): Installation & { readonly path: string } {
  const version = formerVelero[minor];
  const path = join(binDir, `velero-client-${version}`);
  return {
    name: `velero-client with Velero ${version} (Go, from this folder)`,
    path,
    install: () => buildAgainst(version, path),
  };
}

/** The S3 server written in Go. */
export const versitygw = goProgram("github.com/versity/versitygw/cmd/versitygw", "v1.8.0");

/** The plugin that ours replaces. */
export const officialPlugin = goProgram(
  "github.com/vmware-tanzu/velero-plugin-for-aws/velero-plugin-for-aws",
  "v1.14.3",
);

/** The official plugin for GCP, which the conformance suite judges too. */
export const officialGcpPlugin = goProgram(
  "github.com/vmware-tanzu/velero-plugin-for-gcp/velero-plugin-for-gcp",
  "v1.14.2",
);

/** The Cloud Storage server written in Go. */
export const fakeGcsServer = goProgram("github.com/fsouza/fake-gcs-server", "v1.56.1");

/** The registry that most registries are made of. */
export const registry = goProgram("github.com/distribution/distribution/v3/cmd/registry", "v3.0.0");

/** A client of registries. */
export const crane = goProgram("github.com/google/go-containerregistry/cmd/crane", "v0.20.3");

const emulatorDir = join(cacheDir, "qemu-user-static");

/** Runs programs of arm64 elsewhere: the emulator of Debian's package, unpacked below the cache folder. */
export const arm64Emulator = {
  name: "qemu-user-static (Debian)",
  path: join(emulatorDir, "usr", "bin", "qemu-aarch64-static"),
  async install() {
    if (await isThere(arm64Emulator.path)) return;
    await mkdir(emulatorDir, { recursive: true });
    const { code, output } = await runProgram("sh", ["-c", unpackEmulator], { cwd: emulatorDir });
    if (code !== 0) throw new Error(`get qemu-user-static by apt: ${output}`);
  },
};

const unpackEmulator = "apt-get download qemu-user-static && dpkg-deb --extract qemu-user-static_*.deb . && rm *.deb";

/** restic itself, which the restic plugin drives. */
export const restic = goProgram("github.com/restic/restic/cmd/restic", "v0.18.1");

/** The S3 and EC2 servers written in Python. */
export const pythonServers = {
  name: `moto ${motoVersion} and ministack ${ministackVersion} (PyPI)`,
  moto: join(venvDir, "bin", "moto_server"),
  ministack: join(venvDir, "bin", "ministack"),
  install: installPythonServers,
};

const azuriteVersion = "3.37.0";
const azuriteDir = join(cacheDir, `azurite-${azuriteVersion}`);

/** The Azure Blob server written for Node. */
export const azurite = {
  name: `azurite ${azuriteVersion} (npm)`,
  path: join(azuriteDir, "node_modules", "azurite", "dist", "src", "blob", "main.js"),
  install: installAzurite,
};

/** Installs several things at once and tells how long each took. */
export async function installAll(
  installations: readonly Installation[],
  report: (line: string) => void,
): Promise<void> {
  await mkdir(binDir, { recursive: true });
  await requireProgram("go", ["version"], "Go 1.26 or newer");
  await Promise.all(
    installations.map(async (installation) => {
      const started = Date.now();
      await installRepeatedly(installation, report);
      report(`${installation.name}: ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    }),
  );
}

/** Most of it is downloads, of which one that fails says nothing. */
async function installRepeatedly(installation: Installation, report: (line: string) => void): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await installation.install();
    } catch (error) {
      if (tries === installTries) throw error;
      report(`${installation.name}: once more, after ${String(error)}`);
      await sleep(tries * betweenTriesMs);
    }
  }
}

async function requireProgram(command: string, args: readonly string[], description: string): Promise<void> {
  const runs = await runProgram(command, args).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (!runs) {
    throw new Error(`${description} is needed: "${command} ${args.join(" ")}" does not run`);
  }
}

function goProgram(module: string, version: string): Installation & { readonly path: string } {
  const program = module.slice(module.lastIndexOf("/") + 1);
  const path = join(binDir, `${program}-${version}`);
  return {
    name: `${program} ${version} (Go)`,
    path,
    async install() {
      // A released version never changes: what is there stays.
      if (await isThere(path)) {
        return;
      }
      const target = join(cacheDir, "go-install", program);
      await mkdir(target, { recursive: true });
      await go(["install", "-trimpath", `${module}@${version}`], { env: { GOBIN: target } });
      await rename(join(target, program), path);
    },
  };
}

async function go(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
): Promise<void> {
  const { code, output } = await runProgram("go", args, { ...options, env: { CGO_ENABLED: "0", ...options.env } });
  if (code !== 0) {
    throw new Error(`go ${args.join(" ")} failed:\n${output}`);
  }
}

/**
 * Builds the Go code of this folder as a module that requires another version of Velero, and nothing else: what Velero
 * requires decides the versions of all that it is made of.
 */
async function buildAgainst(veleroVersion: string, output: string): Promise<void> {
  const module = join(cacheDir, `velero-${veleroVersion}`);
  await mkdir(module, { recursive: true });
  await rm(join(module, "internal"), { recursive: true, force: true });
  for (const part of ["main.go", "internal"])
    await cp(join(goModuleDir, part), join(module, part), { recursive: true });
  const text = `module flotilla.io/test/interop\n\ngo 1.26.0\n\nrequire github.com/vmware-tanzu/velero ${veleroVersion}\n`;
  await writeFile(join(module, "go.mod"), text);
  await go(["mod", "tidy"], { cwd: module, env: { GOFLAGS: "-mod=mod" } });
  await go(["build", "-o", output, "."], { cwd: module });
}

async function installPythonServers(): Promise<void> {
  const complete = join(venvDir, "complete");
  if (await isThere(complete)) {
    return;
  }
  await requireProgram("python3", ["-c", "import venv, ensurepip"], "Python 3 with venv and pip");
  await python("python3", ["-m", "venv", "--clear", venvDir]);
  const packages = [`moto[server,s3,ec2]==${motoVersion}`, `ministack==${ministackVersion}`];
  await python(join(venvDir, "bin", "pip"), ["install", "--quiet", "--disable-pip-version-check", ...packages]);
  await writeFile(complete, "");
}

async function installAzurite(): Promise<void> {
  const complete = join(azuriteDir, "complete");
  if (await isThere(complete)) {
    return;
  }
  await mkdir(azuriteDir, { recursive: true });
  // A manifest of its own, so that npm does not take it for a part of this workspace.
  await writeFile(join(azuriteDir, "package.json"), '{ "private": true }\n');
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", `azurite@${azuriteVersion}`];
  const { code, output } = await runProgram("npm", args, { cwd: azuriteDir });
  if (code !== 0) {
    throw new Error(`npm ${args.join(" ")} failed:\n${output}`);
  }
  await writeFile(complete, "");
}

async function python(command: string, args: readonly string[]): Promise<void> {
  const { code, output } = await runProgram(command, args);
  if (code !== 0) {
    throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
