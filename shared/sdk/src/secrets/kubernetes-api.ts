import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { RequestOptions } from "node:https";
import { join } from "node:path";

/** A question to the API of the cluster in which the server runs. */
export interface KubernetesQuery {
  /** With what is asked for, percent-encoded: `/api/v1/namespaces/velero/secrets/s`. */
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Where the pod's service account is mounted. */
  readonly serviceAccountFolder?: string;
}

/** What the API answered. */
export interface KubernetesAnswer {
  readonly status: number;
  readonly body: string;
}

const mountedServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";
const timeoutMs = 10_000;

/** The namespace of the server's pod; undefined where this process does not run in one. */
export function namespaceOfServer(env: KubernetesQuery["env"]): string | undefined {
  return env["KUBERNETES_SERVICE_HOST"] ? env["VELERO_NAMESPACE"] || undefined : undefined;
}

/** Asks the API with the pod's service account. Throws what the file system or the network threw. */
export async function askKubernetes(query: KubernetesQuery): Promise<KubernetesAnswer> {
  const folder = query.serviceAccountFolder ?? mountedServiceAccount;
  const [token, ca] = await Promise.all([
    readFile(join(folder, "token"), "utf8"),
    readFile(join(folder, "ca.crt"), "utf8"),
  ]);
  return await get({
    host: query.env["KUBERNETES_SERVICE_HOST"],
    port: query.env["KUBERNETES_SERVICE_PORT"] ?? "443",
    path: query.path,
    ca,
    headers: { authorization: `Bearer ${token.trim()}`, accept: "application/json" },
    signal: AbortSignal.any([query.signal, AbortSignal.timeout(timeoutMs)]),
  });
}

async function get(options: RequestOptions): Promise<KubernetesAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<KubernetesAnswer>();
  const sent = request(options, (response) => {
    response
      .setEncoding("utf8")
      .toArray()
      .then((chunks) => resolve({ status: response.statusCode ?? 0, body: chunks.join("") }), reject);
  });
  sent.on("error", reject).end();
  return await promise;
}
