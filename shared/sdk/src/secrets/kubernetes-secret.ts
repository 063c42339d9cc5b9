import { isJsonObject, parseJson, PluginError } from "../plugin/index.ts";
import type { PluginErrorKind } from "../plugin/index.ts";
import { askKubernetes, namespaceOfServer } from "./kubernetes-api.ts";
import type { KubernetesAnswer, KubernetesQuery } from "./kubernetes-api.ts";

/** Which value of which Secret. */
export interface SecretRequest extends Omit<KubernetesQuery, "path"> {
  readonly name: string;
  readonly key: string;
}

/** Reads one value of a Secret in the server's own namespace, with the pod's service account. */
export async function readKubernetesSecret(secret: SecretRequest): Promise<Buffer> {
  const action = `read key "${secret.key}" of Secret "${secret.name}"`;
  const namespace = namespaceOfServer(secret.env);
  if (namespace === undefined)
    throw new PluginError(
      `${action}: not in a pod of the server; KUBERNETES_SERVICE_HOST and VELERO_NAMESPACE are unset`,
      {
        kind: "invalid-config",
      },
    );
  const answer = await getSecret(secret, namespace, action);
  if (answer.status !== 200) throw refusal(action, namespace, answer.status);
  const value = dataOf(answer.body, secret.key);
  if (value === undefined)
    throw new PluginError(`${action} in namespace "${namespace}": the Secret has no such key`, {
      kind: "invalid-config",
    });
  return Buffer.from(value, "base64");
}

async function getSecret(secret: SecretRequest, namespace: string, action: string): Promise<KubernetesAnswer> {
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(secret.name)}`;
    return await askKubernetes({ ...secret, path });
  } catch (error) {
    throw new PluginError(`${action}: the Kubernetes API cannot be asked; check the pod's service account`, {
      kind: "unavailable",
      cause: error,
    });
  }
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
