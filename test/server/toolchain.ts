import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";

import { runProgram } from "../interop/child.ts";
import { cacheDir, clusterModule, veleroModule } from "./paths.ts";

/** A program of one of the Go modules of this folder. */
export interface BuiltProgram {
  readonly name: string;
  readonly path: string;
  install(report: (line: string) => void): Promise<void>;
}

// As the tag of its images, which `velero install` names; what is built is what go.mod requires.
const veleroVersion = versionOf("github.com/vmware-tanzu/velero", veleroModule);

const kubernetes = "k8s.io/kubernetes/cmd";
// What a release's build says of itself, which clients read.
const release = {
  "k8s.io/component-base/version.gitVersion": versionOf("k8s.io/kubernetes", clusterModule),
};

/** The cluster's store. */
export const etcd: BuiltProgram = program("etcd", clusterModule, "go.etcd.io/etcd/server/v3");
/** What clients and the server speak to. */
export const apiServer: BuiltProgram = program(
  "kube-apiserver",
  clusterModule,
  `${kubernetes}/kube-apiserver`,
  release,
);
/** Binds claims to volumes, ends namespaces, collects what has lost its owner. */
export const controllerManager: BuiltProgram = program(
  "kube-controller-manager",
  clusterModule,
  `${kubernetes}/kube-controller-manager`,
  release,
);
/** The client that the documentation names. */
export const kubectl: BuiltProgram = program("kubectl", clusterModule, `${kubernetes}/kubectl`, release);
/** The server and its command line, unmodified. */
export const velero: BuiltProgram = program("velero", veleroModule, "github.com/vmware-tanzu/velero/cmd/velero", {
  "github.com/vmware-tanzu/velero/pkg/buildinfo.Version": veleroVersion,
});

/** Builds what is not there yet, one after another: each takes some minutes the first time. */
export async function installPrograms(
  programs: readonly BuiltProgram[],
  report: (line: string) => void,
): Promise<void> {
  await mkdir(join(cacheDir, "bin"), { recursive: true });
  for (const one of programs) await one.install(report);
}

/** Built once for each state of the module's go.sum, which pins all that goes into it. */
function program(
  name: string,
  module: string,
  packagePath: string,
  variables: Readonly<Record<string, string>> = {},
): BuiltProgram {
  const pinned = createHash("sha256")
    .update(readFileSync(join(module, "go.mod")))
    .update(readFileSync(join(module, "go.sum")));
  const path = join(cacheDir, "bin", `${name}-${pinned.digest("hex").slice(0, 12)}`);
  return {
    name,
    path,
    async install(report) {
      if (existsSync(path)) return;
      const started = Date.now();
      report(`${name}: building, which takes some minutes the first time`);
      const values = Object.entries(variables).map(([variable, value]) => `-X ${variable}=${value}`);
      const build = ["build", "-p", "2", "-ldflags", ["-s", "-w", ...values].join(" ")];
      const partial = `${path}.partial`;
      // In the background: a build takes all that a machine has.
      const { code, output } = await runProgram("nice", ["-n", "19", "go", ...build, "-o", partial, packagePath], {
        cwd: module,
        env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" },
      });
      if (code !== 0) throw new Error(`go build ${packagePath} failed:\n${output}`);
      await rename(partial, path);
      const mebibytes = Math.round((await stat(path)).size / 1024 ** 2);
      report(`${name}: ${mebibytes} MiB, built in ${Math.round((Date.now() - started) / 1000)} s`);
    },
  };
}

function versionOf(required: string, module: string): string {
  const text = readFileSync(join(module, "go.mod"), "utf8");
  const version = text.split("\n").flatMap((line) => new RegExp(`${required} (v\\S+)`).exec(line)?.[1] ?? [])[0];
  if (version === undefined) throw new Error(`go.mod of ${module} does not require ${required}`);
  return version;
}
