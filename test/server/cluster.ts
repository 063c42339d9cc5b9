import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { freePort } from "../interop/child.ts";
import { mustRun, runCommand } from "./command.ts";
import type { CommandResult } from "./command.ts";
import { startDaemon } from "./daemon.ts";
import type { Daemon } from "./daemon.ts";
import { apiServer, controllerManager, etcd, kubectl, velero } from "./toolchain.ts";
import { until } from "./until.ts";

/** A cluster without nodes: its store, its API server and its controllers are the real ones, on loopback. */
export interface Cluster {
  readonly port: number;
  /** The certificate authority of the API server. */
  readonly caPem: string;
  /** The environment of a client: who is administrator, and where. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs kubectl, which must succeed, and answers what it printed. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Reads an object, or a list, as JSON. */
  read<T>(...args: readonly string[]): Promise<T>;
  /** Runs Velero's own command line, which must succeed. */
  velero(...args: readonly string[]): Promise<string>;
  /** The same, whatever comes of it. */
  tryVelero(...args: readonly string[]): Promise<CommandResult>;
  stop(): Promise<void>;
}

/** Starts a cluster with an empty store, whose files and logs are in the folder. */
export async function startCluster(folder: string): Promise<Cluster> {
  await mkdir(folder, { recursive: true });
  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.toReversed()) await daemon.stop();
  };
  try {
    const store = await startStore(folder);
    daemons.push(store.daemon);
    const { daemon, ...api } = await startApiServer(folder, store.url);
    daemons.push(daemon);
    const cluster = await clientOf(folder, api, stop);
    const answers = async (...args: readonly string[]): Promise<boolean> => {
      for (const one of daemons) one.mustRun();
      return (await tryKubectl(cluster, args)).code === 0;
    };
    await until("the API server is ready", async () => await answers("get", "--raw", "/readyz"));
    daemons.push(await startControllers(folder, cluster));
    // They make it in each namespace.
    await until("the controllers work", async () => await answers("get", "serviceaccount", "default"));
    return cluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startStore(folder: string): Promise<{ readonly daemon: Daemon; readonly url: string }> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const peers = `http://127.0.0.1:${await freePort()}`;
  const daemon = startDaemon("etcd", etcd.path, {
    logFile: join(folder, "etcd.log"),
    args: [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      // What is lost when this machine loses power is a test.
      "--unsafe-no-fsync",
    ],
  });
  return { daemon, url };
}

interface Api {
  readonly port: number;
  readonly token: string;
  readonly caFile: string;
}

async function startApiServer(folder: string, store: string): Promise<Api & { readonly daemon: Daemon }> {
  const port = await freePort();
  const token = randomBytes(24).toString("hex");
  const certificates = join(folder, "certificates");
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  await writeFile(join(folder, "tokens.csv"), `${token},administrator,administrator,system:masters\n`, { mode: 0o600 });
  await writeFile(join(folder, "service-accounts.key"), privateKey, { mode: 0o600 });
  await writeFile(join(folder, "service-accounts.pub"), publicKey);
  const daemon = startDaemon("kube-apiserver", apiServer.path, {
    logFile: join(folder, "kube-apiserver.log"),
    args: [
      `--etcd-servers=${store}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      `--secure-port=${port}`,
      // It makes itself a certificate.
      `--cert-dir=${certificates}`,
      `--token-auth-file=${join(folder, "tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      `--service-account-key-file=${join(folder, "service-accounts.pub")}`,
      `--service-account-signing-key-file=${join(folder, "service-accounts.key")}`,
    ],
  });
  const caFile = join(certificates, "apiserver.crt");
  await until("the API server has made its certificate", () => {
    daemon.mustRun();
    return existsSync(caFile);
  });
  return { daemon, port, token, caFile };
}

function kubeconfig({ port, token, caFile }: Api): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": caFile } }],
    users: [{ name: "administrator", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "administrator" } }],
    "current-context": "test",
  });
}

async function startControllers(folder: string, { env }: Cluster): Promise<Daemon> {
  return startDaemon("kube-controller-manager", controllerManager.path, {
    logFile: join(folder, "kube-controller-manager.log"),
    args: [
      `--kubeconfig=${env["KUBECONFIG"] ?? ""}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${await freePort()}`,
      `--cert-dir=${join(folder, "controller-certificates")}`,
      "--leader-elect=false",
      `--root-ca-file=${join(folder, "certificates", "apiserver.crt")}`,
      `--service-account-private-key-file=${join(folder, "service-accounts.key")}`,
    ],
  });
}

async function clientOf(folder: string, api: Api, stop: () => Promise<void>): Promise<Cluster> {
  const config = join(folder, "kubeconfig");
  await writeFile(config, kubeconfig(api), { mode: 0o600 });
  const env = { KUBECONFIG: config, HOME: folder, PATH: process.env["PATH"] ?? "" };
  const run = async (args: readonly string[], input?: string): Promise<string> =>
    await mustRun(kubectl.path, args, { env, ...(input === undefined ? {} : { input }) });
  return {
    port: api.port,
    caPem: await readFile(api.caFile, "utf8"),
    env,
    kubectl: run,
    // What kubectl answers is the API's own form.
    read: async <T>(...args: readonly string[]) => JSON.parse(await run(["get", ...args, "-o", "json"])) as T,
    velero: async (...args) =>
      await mustRun(velero.path, [...args, "--colorized=false"], { env, timeoutMs: veleroTimeoutMs }),
    tryVelero: async (...args) =>
      await runCommand(velero.path, [...args, "--colorized=false"], { env, timeoutMs: veleroTimeoutMs }),
    stop,
  };
}

// It waits for backups and restores.
const veleroTimeoutMs = 300_000;

async function tryKubectl({ env }: Cluster, args: readonly string[]): Promise<CommandResult> {
  return await runCommand(kubectl.path, args, { env });
}
