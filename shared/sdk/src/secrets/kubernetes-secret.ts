import { readFile } from "node:fs/promises";
import { request } from "node:https";
import type { RequestOptions } from "node:https";
import { join } from "node:path";
import { isJsonObject, parseJson, PluginError } from "../plugin/index.ts";
import type { PluginErrorKind } from "../plugin/index.ts";

/** Which value of which Secret. */
export interface SecretRequest {
  readonly name: string;
  readonly key: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Where the pod's service account is mounted. */
  readonly serviceAccountFolder?: string;
}

const mountedServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";
const timeoutMs = 10_000;

/** Reads one value of a Secret in the server's own namespace, with the pod's service account. */
export async function readKubernetesSecret(secret: SecretRequest): Promise<Buffer> {
  const action = `read key "${secret.key}" of Secret "${secret.name}"`;
  const host = secret.env["KUBERNETES_SERVICE_HOST"] ?? "";
  const namespace = secret.env["VELERO_NAMESPACE"] ?? "";
  if (host === "" || namespace === "")
    throw new PluginError(
      `${action}: not in a pod of the server; KUBERNETES_SERVICE_HOST and VELERO_NAMESPACE are unset`,
      {
        kind: "invalid-config",
      },
    );
  const answer = await getSecret(secret, host, namespace, action);
  if (answer.status !== 200) throw refusal(action, namespace, answer.status);
  const value = dataOf(answer.body, secret.key);
  if (value === undefined)
    throw new PluginError(`${action} in namespace "${namespace}": the Secret has no such key`, {
      kind: "invalid-config",
    });
  return Buffer.from(value, "base64");
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function getSecret(secret: SecretRequest, host: string, namespace: string, action: string): Promise<Answer> {
  const folder = secret.serviceAccountFolder ?? mountedServiceAccount;
  try {
    const [token, ca] = await Promise.all([
      readFile(join(folder, "token"), "utf8"),
      readFile(join(folder, "ca.crt"), "utf8"),
    ]);
    return await get({
      host,
      port: secret.env["KUBERNETES_SERVICE_PORT"] ?? "443",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(secret.name)}`,
      ca,
      headers: { authorization: `Bearer ${token.trim()}`, accept: "application/json" },
      signal: AbortSignal.any([secret.signal, AbortSignal.timeout(timeoutMs)]),
    });
  } catch (error) {
    throw new PluginError(`${action}: the Kubernetes API cannot be asked; check the pod's service account`, {
      kind: "unavailable",
      cause: error,
    });
  }
}

async function get(options: RequestOptions): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(options, (response) => {
    response
      .setEncoding("utf8")
      .toArray()
      .then((chunks) => resolve({ status: response.statusCode ?? 0, body: chunks.join("") }), reject);
  });
  sent.on("error", reject).end();
  return await promise;
}

function refusal(action: string, namespace: string, status: number): PluginError {
  const kind: PluginErrorKind =
    status === 401 || status === 403 ? "denied" : status >= 500 ? "unavailable" : "invalid-config";
  return new PluginError(
    `${action} in namespace "${namespace}": the Kubernetes API answered ${status}; check that the Secret is there and the service account may get it`,
    { kind },
  );
}

function dataOf(body: string, key: string): string | undefined {
  const secret = parseJson(body);
  const data = isJsonObject(secret) ? secret["data"] : undefined;
  const value = isJsonObject(data) ? data[key] : undefined;
  return typeof value === "string" ? value : undefined;
}
